import * as Equal from "effect/Equal"
import type { Credentials } from "../Credentials.js"

/** Whether two sessions have the same tokens, or there is none of either. */
export const isSameSession = (one: Credentials | undefined, other: Credentials | undefined): boolean =>
  Equal.equals(one?.idToken, other?.idToken) && Equal.equals(one?.refreshToken, other?.refreshToken)
