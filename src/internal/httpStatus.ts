import { AnnotationStatus } from "@effect/platform/HttpApiSchema"

// The HTTP statuses with which an `HttpApi` responds. Clients resend on 408, 409, 429 and 5xx, and a client that
// resends after an accepted submission pays twice. So an error that can follow one has none of these statuses. A rate
// limit does not follow one: polls wait for its end.
export const badRequest = { [AnnotationStatus]: 400 }
export const notFound = { [AnnotationStatus]: 404 }
export const unprocessable = { [AnnotationStatus]: 422 }
export const failedDependency = { [AnnotationStatus]: 424 }
export const tooManyRequests = { [AnnotationStatus]: 429 }
