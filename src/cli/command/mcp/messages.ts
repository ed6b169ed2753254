// What the tools say. A language model reads it and decides what to do next, so each text says what is paid for, and
// which call is safe.
import { isPlatformError } from "@effect/platform/Error"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { ArtaError } from "effect-arta"
import type { Failure } from "../../shared/errors.js"
import { isGone } from "../../shared/errors.js"
import { explainPlatformError } from "../../shared/platformErrors.js"
import { printable } from "../../shared/printable.js"
import type { Listed, Report } from "./generations.js"
import type { Outcome, Saved, Stage } from "./job.js"

const seconds = (elapsed: Duration.Duration): string => `${String(Math.round(Duration.toSeconds(elapsed)))} s`

const byStage: Record<Stage, string> = {
  waiting: "waiting to be submitted",
  submitting: "submitted, no response yet",
  queued: "in the queue",
  generating: "generating",
  saving: "saving the images"
}

export const stageText = (stage: Stage, elapsed: Duration.Duration): string => `${byStage[stage]}, ${seconds(elapsed)}`

const checkIt = (recordId: string): string => `Call check_generation with recordId ${JSON.stringify(recordId)}`

const noSecondCall = "Do not call generate_image again for it: that would be charged a second time."

const checkLatest = "Call check_generation without a recordId to see what became of it."

const seedOf = ({ known, request }: Report): string => {
  const seed = Option.getOrUndefined(request)?.seed ?? known.request?.seed
  return seed === undefined ? "" : ` with seed ${String(seed)}`
}

const running = (report: Report, directory: string): string => {
  const { elapsed, known, stage } = report
  const state = stageText(stage, elapsed)
  if (known.recordId !== undefined) {
    return (
      `The generation ${known.recordId} is accepted and still running (${state}). It continues in the background, and ` +
      `its images are saved in ${directory}. ${checkIt(known.recordId)} to wait for them: that costs nothing. ${noSecondCall}`
    )
  }
  return known.request === undefined
    ? `Nothing is submitted yet (${state}), because the service limits the rate or does not respond to the sign-in. ` +
        `It is submitted as soon as possible. ${checkLatest} Do not call generate_image again for it.`
    : `The service has not responded to the submission yet (${state}), and may have accepted it. It is not sent again. ` +
        `${checkLatest} ${noSecondCall}`
}

const downloadProblem = ({ image, reason }: { readonly image: string; readonly reason: string }) =>
  `Could not download ${printable(image)}: ${reason}.`

const failureLines = ({ failures, missing, recordId }: Saved): ReadonlyArray<string> => [
  ...failures.map(({ reason, url }) => downloadProblem({ image: url, reason: printable(reason) })),
  ...(failures.length === 0 ? [] : [`${checkIt(recordId)} to try again: that costs nothing. ${noSecondCall}`]),
  ...(missing === 0 ? [] : [`${String(missing)} of the requested images did not come from the service.`])
]

const count = (n: number): string => (n === 1 ? "1 image" : `${String(n)} images`)

const saved = (report: Report, outcome: Saved): string => {
  const { paths, recordId } = outcome
  const model = Option.match(report.request, { onNone: () => "", onSome: ({ model }) => ` with ${model}` })
  const headline =
    paths.length === 0
      ? `The generation ${recordId} is done and paid for, but none of its images could be saved.`
      : `Saved ${count(paths.length)} of the generation ${recordId}, generated${model}${seedOf(report)}:`
  return [headline, ...paths, ...failureLines(outcome)].join("\n")
}

const reasonOf = (failure: Failure): string =>
  isPlatformError(failure) ? explainPlatformError(failure) : failure.message

/** The message of an error of the library, whose last sentence is for people with a terminal. */
const isRefusedInput = ({ _tag }: Failure): boolean =>
  _tag === "InvalidRequestError" || _tag === "UnknownModelError" || _tag === "ResponseError"

const unsubmitted = (failure: Failure): string =>
  `${reasonOf(failure)} Nothing was accepted, and nothing is charged. ` +
  (isRefusedInput(failure)
    ? "Change the arguments before you call generate_image again."
    : "Tell the user about it. Once that is solved, call generate_image again.")

const unknown = (reason: string, seed: string): string =>
  `${reason} Do not call generate_image again for this request by yourself: both could be charged. An equal call submits ` +
  `nothing. Ask the user to look among their images at the service first${seed === "" ? "" : `, for one${seed}`}. If the ` +
  "user wants to generate it anyway, call generate_image with another seed."

const accepted = (failure: Failure, recordId: string): string => {
  if (failure._tag === "GenerationFailedError") {
    return (
      `${failure.message} It will deliver no images. A new call of generate_image is a new, charged request: change ` +
      "the prompt or the seed, and ask the user first if the reason does not say what to change."
    )
  }
  return failure._tag === "ResponseError" && isGone(failure)
    ? `The service has no generation ${recordId}. Check the recordId, or call check_generation without one to list the latest.`
    : `${reasonOf(failure)} The generation ${recordId} is accepted and paid for. ${checkIt(recordId)} to get its images: ` +
        `that costs nothing. ${noSecondCall}`
}

const stopped = (report: Report): string => {
  const { recordId, request } = report.known
  if (recordId !== undefined) return `The server was stopped. ${checkIt(recordId)} once it runs again. ${noSecondCall}`
  return request === undefined
    ? "The call was cancelled before anything was submitted. Nothing is charged."
    : unknown("The server was stopped before the service responded to the submission.", seedOf(report))
}

const failed = (report: Report, failure: Failure): string => {
  const { recordId, request } = report.known
  if (recordId !== undefined) return accepted(failure, recordId)
  return request === undefined ? unsubmitted(failure) : unknown(reasonOf(failure), seedOf(report))
}

const outcomeText = (report: Report, outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Saved":
      return saved(report, outcome)
    case "Failed":
      return failed(report, outcome.failure)
    case "Stopped":
      return stopped(report)
  }
}

/** What happened to a generation, and which call to make next. */
export const reportText = (report: Report, directory: string): string => {
  const text = Option.match(report.outcome, {
    onNone: () => running(report, directory),
    onSome: (outcome) => outcomeText(report, outcome)
  })
  return report.isEarlier
    ? `${text}\nAn earlier, equal call submitted this generation, and its result was not delivered. Nothing was submitted ` +
        "again. To generate other images, call generate_image with another seed."
    : text
}

/** What the arguments must be. Nothing was sent. */
export const refusalText = (error: ArtaError.InvalidRequestError | ArtaError.UnknownModelError): string =>
  unsubmitted(error)

const listedState = ({ record, report }: Listed): string => {
  const { last, recordId } = record
  if (Option.exists(report, ({ outcome }) => Option.isNone(outcome))) {
    return Option.match(report, { onNone: () => "", onSome: ({ elapsed, stage }) => stageText(stage, elapsed) })
  }
  switch (last._tag) {
    case "Saved":
      return `saved as ${last.files.join(", ")}`
    case "NotAccepted":
      return "not accepted, nothing is charged"
    case "Submitting":
      return "the service may or may not have accepted it, and it was not sent again"
    case "Submitted":
    case "Failed":
      return recordId === undefined ? "not finished" : "accepted, its images are not saved yet"
  }
}

const listedLine = (entry: Listed): string => {
  const { recordId, request } = entry.record
  const id = recordId === undefined ? "No recordId" : `recordId ${JSON.stringify(recordId)}`
  return `- ${id}: ${listedState(entry)}. Prompt ${JSON.stringify(printable(request.prompt))}, seed ${String(request.seed)}.`
}

/** The latest generations, and how to get their images. */
export const listText = (entries: ReadonlyArray<Listed>, directory: string): string =>
  entries.length === 0
    ? `There are no generations in ${directory} yet.`
    : [
        `The latest generations in ${directory}, newest first:`,
        ...entries.map(listedLine),
        "To get the images of an accepted one, call check_generation with its recordId: that costs nothing."
      ].join("\n")
