import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidRequestError } from "../ArtaError.js"
import { shown } from "./errorMessages.js"

const isNegative = (timeout: unknown): boolean =>
  typeof timeout === "string" ? timeout.startsWith("-") : !Duration.isDuration(timeout) && !(Number(timeout) >= 0)

/** Reads the option `timeout`. On its own, `Duration.decode` turns a negative number and NaN into zero. */
export const decodeTimeout = (timeout: Duration.DurationInput): Effect.Effect<Duration.Duration, InvalidRequestError> =>
  Duration.decodeUnknown(timeout).pipe(
    Option.filter(() => !(Array.isArray(timeout) ? timeout : [timeout]).some(isNegative)),
    Option.match({
      onNone: () =>
        new InvalidRequestError({
          field: "timeout",
          value: shown(timeout),
          allowed: 'a duration that is not negative, such as "5 minutes"'
        }),
      onSome: Effect.succeed
    })
  )
