import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidRequestError } from "../ArtaError.js"
import { shown } from "./errorMessages.js"

/** Reads the option `timeout`. On its own, `Duration.decode` turns a negative number and NaN into zero. */
export const decodeTimeout = (timeout: Duration.DurationInput): Effect.Effect<Duration.Duration, InvalidRequestError> =>
  Duration.decodeUnknown(timeout).pipe(
    Option.filter(() => !/(^|,)-|NaN/.test(String(timeout))),
    Effect.mapError(
      () =>
        new InvalidRequestError({
          field: "timeout",
          value: shown(timeout),
          allowed: 'a duration that is not negative, such as "5 minutes"'
        })
    )
  )
