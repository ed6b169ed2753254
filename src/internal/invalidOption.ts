import { InvalidRequestError } from "../ArtaError.js"
import { shown } from "./errorMessages.js"

export const invalidOption = (field: string, value: unknown, allowed: string): InvalidRequestError =>
  new InvalidRequestError({ field, value: shown(value), allowed })
