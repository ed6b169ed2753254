import * as Effect from "effect/Effect"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"

// Captured stack frames would always point here.
export const clientSpan = { captureStackTrace: false, kind: "client" } as const

/** `Effect.annotateCurrentSpan` in one step. */
const annotate = (attributes: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.withFiberRuntime(({ currentSpan }) => {
    if (currentSpan?._tag === "Span") {
      for (const [name, value] of Object.entries(attributes)) currentSpan.attribute(name, value)
    }
    return Effect.void
  })

/**
 * Describes a generation by the conventions of OpenTelemetry for generative AI. The prompt is left out: it is the
 * user's.
 *
 * See https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
 */
export const annotateRequest = (request: GenerateRequest): Effect.Effect<void> =>
  annotate({
    model: request.model,
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "arta",
    "gen_ai.output.type": "image",
    "gen_ai.request.model": request.model,
    "gen_ai.request.seed": request.seed,
    "gen_ai.request.choice.count": request.n
  })

export const annotateRecordId = (recordId: RecordId): Effect.Effect<void> =>
  annotate({ recordId, "gen_ai.response.id": recordId })
