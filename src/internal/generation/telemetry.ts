import * as Effect from "effect/Effect"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"

/**
 * Describes a generation by the conventions of OpenTelemetry for generative AI. The prompt is left out: it is the
 * user's.
 *
 * See https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
 */
export const annotateRequest = (request: GenerateRequest): Effect.Effect<void> =>
  Effect.annotateCurrentSpan({
    model: request.model,
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "arta",
    "gen_ai.output.type": "image",
    "gen_ai.request.model": request.model,
    "gen_ai.request.seed": request.seed,
    "gen_ai.request.choice.count": request.n
  })

export const annotateRecordId = (recordId: RecordId): Effect.Effect<void> =>
  Effect.annotateCurrentSpan({ recordId, "gen_ai.response.id": recordId })
