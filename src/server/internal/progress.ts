import * as Duration from "effect/Duration"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationEvent, GenerationStatus } from "../../Generation.js"

/** A request in the words of the endpoint. The same fields generate the same images again. */
export const describeRequest = (request: GenerateRequest) => ({
  prompt: request.prompt,
  model: request.model,
  n: request.n,
  negative_prompt: request.negativePrompt,
  steps: request.numInferenceSteps,
  guidance_scale: request.guidanceScale,
  aspect_ratio: request.aspectRatio,
  seed: request.seed
})

const statuses = {
  Submitted: "queued",
  Queued: "queued",
  InProgress: "in_progress",
  Completed: "completed",
  Done: "completed",
  Failed: "failed"
} as const

export const statusOf = ({ _tag }: GenerationEvent | GenerationStatus): (typeof statuses)[keyof typeof statuses] =>
  statuses[_tag]

const elapsedOf = (event: GenerationEvent): number =>
  event._tag === "Submitted" ? 0 : Math.round(Duration.toMillis(event.elapsed)) / 1000

/** What an event of the progress says. */
export const progressData = (event: GenerationEvent, request: GenerateRequest | undefined) => ({
  type: "arta.progress",
  record_id: event.recordId,
  status: statusOf(event),
  elapsed_seconds: elapsedOf(event),
  ...(request && { request: describeRequest(request) })
})
