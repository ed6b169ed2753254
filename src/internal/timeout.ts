import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { InvalidRequestError } from "../ArtaError.js"
import { invalidOption } from "./invalidOption.js"

/** Reads the option `timeout`. On its own, `Duration.decode` turns a negative number and NaN into zero. */
export const decodeTimeout = (timeout: Duration.DurationInput): Either.Either<Duration.Duration, InvalidRequestError> =>
  Duration.decodeUnknown(timeout).pipe(
    Option.filter(() => !/(^|,)-|NaN/.test(String(timeout))),
    Either.fromOption(() => invalidOption("timeout", timeout, 'a duration that is not negative, such as "5 minutes"'))
  )
