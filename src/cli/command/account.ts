import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Auth, Credentials, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import { SetupError } from "../shared/errors.js"
import { withSettings } from "../shared/settings.js"

const tokenFile = Effect.mapError(
  NodeArta.tokenFile,
  () => new SetupError({ message: "The home directory is unknown. Set HOME, XDG_CONFIG_HOME or ARTA_TOKEN_FILE." })
)

const storeLayer = Layer.unwrapEffect(Effect.map(tokenFile, TokenStore.layerFileSystem))

const formatMillis = (millis: number): string =>
  Option.match(DateTime.make(millis), { onNone: () => "unknown", onSome: DateTime.formatIso })

const accountLines = (credentials: Credentials.Credentials, now: number): ReadonlyArray<string> => {
  const until = formatMillis(credentials.issuedAt + Duration.toMillis(credentials.expiresIn))
  return [
    `Account    ${credentials.localId}`,
    `Signed up  ${credentials.signedUpAt === undefined ? "unknown" : formatMillis(credentials.signedUpAt)}`,
    `Token      ${Credentials.isValid(credentials, now) ? `valid until ${until}` : `expired at ${until}`}`
  ]
}

const printAccount = Effect.gen(function* () {
  const file = yield* tokenFile
  const { load } = yield* TokenStore.TokenStore
  const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  const lines = Option.match(yield* load, {
    onNone: () => ["Not signed up yet. The first generation signs up."],
    onSome: (credentials) => accountLines(credentials, now)
  })
  yield* Effect.forEach([...lines, `File       ${file}`], (line) => Console.log(line), { discard: true })
})

type Platform = FileSystem.FileSystem | Path.Path

/** Prints the account, its token's expiry and its session file. Never prints a token. */
export const account: Effect.Effect<void, Failure, Platform> = withSettings(Effect.provide(printAccount, storeLayer))

/** Refreshes the account's token. Signs up if there is no account. */
export const renew: Effect.Effect<void, Failure, Platform> = Effect.gen(function* () {
  const auth = yield* Auth.Auth
  const before = yield* Effect.flatMap(TokenStore.TokenStore, ({ load }) => load)
  const token = yield* auth.token
  if (Option.isSome(before)) yield* auth.renew(token)
}).pipe(Effect.provide(services({ emulator: false, proxy: Option.none() })), Effect.zipRight(account))

/** Deletes the session stored on this machine. */
export const signOut: Effect.Effect<void, Failure, Platform> = Effect.gen(function* () {
  const { clear, exclusively } = yield* TokenStore.TokenStore
  yield* exclusively(clear)
  yield* Console.error("Signed out. The session on this machine is deleted.")
}).pipe(Effect.provide(storeLayer), withSettings)
