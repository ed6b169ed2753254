import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { GenerateRequest } from "effect-arta"
import { Generation, ImageModel } from "effect-arta"
import type { CallToolResult, McpServer, ServerContext } from "@modelcontextprotocol/server"
import * as z from "zod"
import type { Generations, Watch } from "./generations.js"
import { refusalText, stageText } from "./messages.js"
import { errorResult, listResult, ListOutput, Output, reportResult } from "./result.js"

/** What the tools need. The left side says why nothing can be generated, for example without a key. */
export interface Tools {
  readonly generations: Either.Either<Generations, string>
  readonly directory: string
  /** Runs a call until it ends or the client cancels it. */
  readonly run: <A>(
    effect: Effect.Effect<A, never, FileSystem.FileSystem | Path.Path>,
    signal: AbortSignal
  ) => Promise<A>
}

const aliases = [...ImageModel.aliases.keys()].join(", ")

const generateDescription = `Generate images from a text prompt with ARTA, and save them on this computer. Returns the paths of the files.

Each call submits a new generation, which is charged. Call it once for each request of the user, with n for several images of one prompt. A generation takes from a few seconds to several minutes. If it takes long, the result has the status "running" and a recordId: then call check_generation with it, and do not call generate_image again. If the result is an error, it says whether anything was charged and which call is safe. A call that timed out or was cancelled may be charged too: call check_generation without a recordId to find it.`

const checkDescription = `Wait for the images of a generation that generate_image started, save them, and return the paths of the files. It submits nothing and costs nothing, so you can repeat it until the status is "saved".

Without a recordId, it lists the latest generations and their recordIds, for example after a call that timed out.`

// A misspelled option is refused: it would change the image that is paid for.
const GenerateInput = z.strictObject({
  prompt: z
    .string()
    .describe("What the image shows: subject, composition, style, light. English gives the best results."),
  model: z
    .string()
    .optional()
    .describe(
      `The model. Default: flux, for any subject. gpt-image follows long prompts and renders text. Others are styles: ${aliases}`
    ),
  n: z.int().min(1).max(8).optional().describe("The number of images. Each one costs. Default: 1"),
  aspectRatio: z
    .string()
    .regex(/^[1-9]\d*:[1-9]\d*$/)
    .optional()
    .describe("Width to height, such as 16:9, 3:2 or 9:16. Default: 1:1"),
  negativePrompt: z.string().optional().describe("What to avoid. Default: blurry, deformed hands, ugly"),
  seed: z
    .int()
    .min(0)
    .max(99_999_999)
    .optional()
    .describe("The same seed, prompt, model and options give the same image. Default: random"),
  numInferenceSteps: z.int().min(1).max(100).optional().describe("Default: 30. Leave it out unless the user asks"),
  guidanceScale: z
    .number()
    .min(0)
    .optional()
    .describe("How closely to follow the prompt. Default: 7. Leave it out unless the user asks")
})

const CheckInput = z.strictObject({
  recordId: z
    .string()
    .optional()
    .describe("The recordId in the result of generate_image. Without it, the latest generations are listed")
})

/** The options in a fixed order, so that equal calls are equal. */
const toOptions = (input: z.infer<typeof GenerateInput>): GenerateRequest.Options => ({
  prompt: input.prompt,
  model: input.model,
  n: input.n,
  aspectRatio: input.aspectRatio,
  negativePrompt: input.negativePrompt,
  seed: input.seed,
  numInferenceSteps: input.numInferenceSteps,
  guidanceScale: input.guidanceScale
})

/** Sends progress to a client that asked for it: at each change, and every few seconds, which extends its timeout. */
const sendProgress = ({ mcpReq }: ServerContext): Watch => {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return () => Effect.void
  return ({ lastKnown, stage, startedAt }) => {
    const ticks = Stream.mapEffect(Stream.drop(Stream.tick("5 seconds"), 1), () => SubscriptionRef.get(stage))
    return Stream.merge(Stream.changes(stage.changes), ticks).pipe(
      Stream.zipWithIndex,
      Stream.runForEach(([current, index]) =>
        Effect.gen(function* () {
          const { recordId } = yield* Ref.get(lastKnown)
          const elapsed = Duration.millis((yield* Clock.currentTimeMillis) - startedAt)
          const id = recordId === undefined ? "" : ` (recordId ${recordId})`
          const params = { progressToken, progress: index + 1, message: `${stageText(current, elapsed)}${id}` }
          yield* Effect.ignore(Effect.tryPromise(() => mcpReq.notify({ method: "notifications/progress", params })))
        })
      )
    )
  }
}

const unexpected =
  "An unexpected error occurred. Something may be submitted already: call check_generation without a recordId before " +
  "you call generate_image again."

type ToolEffect = Effect.Effect<CallToolResult, never, FileSystem.FileSystem | Path.Path>

const decodeRecordId = Schema.decodeUnknownEither(Generation.RecordId)

const generate = ({ directory }: Tools, generations: Generations, options: GenerateRequest.Options, watch: Watch) =>
  generations.generate(options, watch).pipe(
    Effect.flatMap((report) => reportResult(report, directory)),
    Effect.catchAll((error) => Effect.succeed(errorResult(refusalText(error))))
  )

const check = ({ directory }: Tools, generations: Generations, recordId: string | undefined, watch: Watch) => {
  if (recordId === undefined) return Effect.map(generations.list, (entries) => listResult(entries, directory))
  return Either.match(decodeRecordId(recordId.trim()), {
    onLeft: () =>
      Effect.succeed(
        errorResult(
          "This is not a recordId. Pass the one of an earlier result, or call check_generation without one to list the latest."
        )
      ),
    onRight: (id) => Effect.flatMap(generations.check(id, watch), (report) => reportResult(report, directory))
  })
}

/** Adds the tools to a server. */
export const registerTools = (server: McpServer, tools: Tools): void => {
  const call = (ctx: ServerContext, effect: (generations: Generations) => ToolEffect): Promise<CallToolResult> =>
    tools.run(
      Either.match(tools.generations, {
        onLeft: (problem) => Effect.succeed(errorResult(problem)),
        onRight: effect
      }).pipe(Effect.catchAllDefect(() => Effect.succeed(errorResult(unexpected)))),
      ctx.mcpReq.signal
    )

  server.registerTool(
    "generate_image",
    {
      title: "Generate images",
      description: generateDescription,
      inputSchema: GenerateInput,
      outputSchema: Output,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true }
    },
    (input, ctx) => call(ctx, (generations) => generate(tools, generations, toOptions(input), sendProgress(ctx)))
  )
  server.registerTool(
    "check_generation",
    {
      title: "Get the images of a generation",
      description: checkDescription,
      inputSchema: CheckInput,
      outputSchema: ListOutput,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true }
    },
    ({ recordId }, ctx) => call(ctx, (generations) => check(tools, generations, recordId, sendProgress(ctx)))
  )
}
