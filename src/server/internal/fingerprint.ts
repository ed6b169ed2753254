import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { createHash } from "node:crypto"

/**
 * Identifies a request that a client may send again. OpenAI's clients count their attempts: a second one, after their
 * own timeout or a lost connection, must join the generation of the first. Equal first attempts do not join while the
 * client of each waits, because a client that wants two images may send two equal requests. Requests with the same
 * `Idempotency-Key` are always one.
 */
export const identify = (
  { headers, url }: HttpServerRequest.HttpServerRequest,
  body: string
): { readonly fingerprint: string; readonly mayJoin: boolean } => {
  const key = headers["idempotency-key"]
  const attempt = Number.parseInt(headers["x-stainless-retry-count"] ?? "0", 10)
  const [path = ""] = url.split("?", 1)
  return {
    fingerprint: createHash("sha256")
      .update(JSON.stringify([path, key ?? null]))
      .update(body)
      .digest("base64"),
    mayJoin: key !== undefined || attempt > 0
  }
}
