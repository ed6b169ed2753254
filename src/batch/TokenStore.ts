/**
 * Stores the session in the database, so that all runners share one account.
 *
 * The session is a secret: it is stored as text, and any user who may read the table `sessions`, a backup, or a log of
 * the server with the values of statements can use the account. The library puts it into no error, log or span.
 *
 * @example
 * ```ts
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { BatchDatabase, TokenStore } from "effect-arta/batch"
 * import { NodeArta } from "effect-arta/node"
 * import { Layer } from "effect"
 *
 * export const SharedAccount = NodeArta.layerWithoutTokenStore({ apiKey: "the key of a project" }).pipe(
 *   Layer.provide(TokenStore.layerSql),
 *   Layer.provide(BatchDatabase.layer()),
 *   Layer.provide(SqliteClient.layer({ filename: "images.sqlite" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { TokenStoreError } from "../ArtaError.js"
import { Credentials } from "../Credentials.js"
import type { Service } from "../TokenStore.js"
import { TokenStore } from "../TokenStore.js"
import type { DatabaseError } from "./BatchDatabase.js"
import { BatchDatabase } from "./BatchDatabase.js"
import { makeSessionLock } from "./internal/sessions/sessionLock.js"

type Operation = TokenStoreError["operation"]

const name = "credentials"
const path = "the table of sessions"

const Stored = Schema.parseJson(
  Schema.Struct({
    version: Schema.Number.pipe(Schema.filter((version) => version === 1)),
    ...Credentials.fields
  })
)
const decode = Schema.decodeUnknownOption(Stored)
const encode = Schema.encodeSync(Stored)

const Row = Schema.Struct({
  credentials: Schema.NullOr(Schema.String),
  version: Schema.String,
  holder: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknown(Schema.Array(Row))

const isSame = (one: Option.Option<Credentials>, other: Option.Option<Credentials>): boolean => {
  const tokens = (session: Option.Option<Credentials>) =>
    Option.map(session, ({ idToken, refreshToken }) => [idToken, refreshToken])
  return Option.getEquivalence(Arr.getEquivalence(Equal.equals))(tokens(one), tokens(other))
}

const toJson = ({ expiresIn, idToken, issuedAt, localId, refreshToken, signedUpAt }: Credentials): string =>
  encode({ version: 1, localId, idToken, refreshToken, issuedAt, expiresIn, signedUpAt })

const failure = (operation: Operation) => (reason: string) => new TokenStoreError({ operation, path, reason })

const lockLost = failure("lock")("another process has taken over its lock")

const failing = (operation: Operation) =>
  Effect.mapError((error: DatabaseError | TokenStoreError) =>
    error._tag === "TokenStoreError" ? error : failure(operation)(error.reason)
  )

const make: Effect.Effect<Service, never, BatchDatabase> = Effect.gen(function* () {
  const database = yield* BatchDatabase
  const { now, run, sql, table, transaction } = database
  const sessions = table("sessions")
  const last = yield* Ref.make(Option.none<Credentials>())
  const held = yield* Ref.make(Option.none<string>())
  const semaphore = yield* Effect.makeSemaphore(1)
  const lock = makeSessionLock(database, name, failure("lock"))
  const newVersion = Effect.sync((): string => crypto.randomUUID())

  const read = Effect.gen(function* () {
    const found = yield* run(
      "read the session",
      sql`SELECT credentials, version, holder FROM ${sessions} WHERE name = ${name}`
    )
    const [row] = yield* Effect.mapError(decodeRows(found), () => failure("load")("its row is not readable"))
    const holder = yield* Ref.get(held)
    if (Option.isSome(holder) && row?.holder !== holder.value) return yield* lockLost
    const text = Option.filter(Option.fromNullable(row?.credentials), (written) => written.trim() !== "")
    const session = Option.map(Option.flatMap(text, decode), (stored) => new Credentials(stored))
    return { version: row?.version ?? "none", text, session }
  })

  /** Writes unless the row has another version by now, or another holder. Returns whether it is written. */
  const write = (text: string | null, replaced: Option.Option<string>) =>
    Effect.gen(function* () {
      const version = yield* newVersion
      const holder = yield* Ref.get(held)
      const isUnchanged = Option.match(replaced, {
        onNone: () => sql`1 = 1`,
        onSome: (before) => sql`s.version IN (${before}, ${version})`
      })
      const isHeld = Option.match(holder, { onNone: () => sql`1 = 1`, onSome: (id) => sql`s.holder = ${id}` })
      const written = yield* run(
        "write the session",
        sql`INSERT INTO ${sessions} AS s (name, credentials, version, written_at)
            VALUES (${name}, ${text}, ${version}, ${now})
            ON CONFLICT (name) DO UPDATE SET
              credentials = excluded.credentials, version = excluded.version, written_at = excluded.written_at
            WHERE ${isUnchanged} AND ${isHeld} RETURNING name`
      )
      return Arr.isNonEmptyReadonlyArray(written)
    })

  /** The damage is not a sign-out, so the session that was here comes back. */
  const setAside = (version: string) =>
    Effect.gen(function* () {
      const before = yield* Ref.get(last)
      const restored = Option.getOrNull(Option.map(before, toJson))
      const aside = `${name}.unreadable-${version}`
      const next = yield* newVersion
      yield* transaction(
        "set the unreadable session aside",
        Effect.zipRight(
          sql`INSERT INTO ${sessions} (name, credentials, version, written_at)
              SELECT ${aside}, credentials, version, written_at FROM ${sessions}
              WHERE name = ${name} AND version = ${version} ON CONFLICT (name) DO NOTHING`,
          sql`UPDATE ${sessions} SET credentials = ${restored}, version = ${next}
              WHERE name = ${name} AND version = ${version}`
        )
      )
      yield* Effect.logWarning(`The session in the database is unreadable. It was set aside under the name ${aside}.`)
      return before
    })

  const load = Effect.gen(function* () {
    const { session, text, version } = yield* read
    if (Option.isSome(text) && Option.isNone(session)) return yield* setAside(version)
    yield* Ref.set(last, session)
    return session
  })

  const save = (credentials: Credentials, replaced?: Option.Option<Credentials>) =>
    Effect.gen(function* () {
      const current = replaced === undefined ? Option.none() : Option.some(yield* read)
      if (Option.isSome(current) && replaced !== undefined && !isSame(current.value.session, replaced)) {
        return yield* lockLost
      }
      const isWritten = yield* write(
        toJson(credentials),
        Option.map(current, ({ version }) => version)
      )
      if (!isWritten) return yield* lockLost
      yield* Ref.set(last, Option.some(credentials))
    })

  const clear = Effect.gen(function* () {
    if (!(yield* write(null, Option.none()))) return yield* lockLost
    yield* Ref.set(last, Option.none())
  })

  return {
    load: load.pipe(failing("load"), Effect.withSpan("TokenStore.load")),
    save: Effect.fn("TokenStore.save")(save, failing("save")),
    clear: clear.pipe(failing("clear"), Effect.withSpan("TokenStore.clear")),
    exclusively: (effect) =>
      semaphore.withPermits(1)(
        lock.hold((holder) =>
          Effect.ensuring(Effect.zipRight(Ref.set(held, Option.some(holder)), effect), Ref.set(held, Option.none()))
        )
      )
  }
})

/**
 * Keeps the session in the table `sessions` of the database.
 *
 * `exclusively` locks out other processes with a lock in that table. The lock of a dead process expires after ten
 * seconds. If another process holds the lock for a minute, `exclusively` fails with `TokenStoreError`. A process whose
 * lock was taken over cannot save.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSql: Layer.Layer<TokenStore, never, BatchDatabase> = Layer.effect(TokenStore, make)
