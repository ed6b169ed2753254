import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { UsageError } from "../../shared/errors.js"

interface Key {
  readonly value: Redacted.Redacted
  /** Whether this run made the key, so that it must be shown. */
  readonly isNew: boolean
}

const newKey = Effect.sync((): Key => ({
  value: Redacted.make(`sk-arta-${randomBytes(24).toString("base64url")}`),
  isNew: true
}))

/** Whether only this machine can reach the host. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)

// Other characters do not pass through every client in a header.
const isSendable = (key: Redacted.Redacted): boolean => /^[\x21-\x7e]+$/.test(Redacted.value(key))

const fromEnvironment = Config.redacted("ARTA_SERVER_KEY").pipe(
  Effect.option,
  Effect.map(Option.filter((key) => Redacted.value(key) !== ""))
)

/** The key of `--key` or `ARTA_SERVER_KEY`, or a new one if only this machine can reach the server. */
export const keyFor = (host: string, given: Option.Option<Redacted.Redacted>): Effect.Effect<Key, UsageError> =>
  Effect.gen(function* () {
    const chosen = Option.isSome(given) ? given : yield* fromEnvironment
    if (Option.isSome(chosen)) {
      return isSendable(chosen.value)
        ? { value: chosen.value, isNew: false }
        : yield* new UsageError({ message: "The key must have ASCII characters only, without spaces." })
    }
    return isLoopback(host)
      ? yield* newKey
      : yield* new UsageError({
          message:
            `Other machines can reach ${host}, so the server needs a key of yours: set ARTA_SERVER_KEY, or add --key KEY. ` +
            "For example: ARTA_SERVER_KEY=$(openssl rand -hex 24)"
        })
  })
