import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CallToolResult } from "@modelcontextprotocol/server"
import { pathToFileURL } from "node:url"
import * as z from "zod"
import type { Listed, Report } from "./generations.js"
import { listText, reportText } from "./messages.js"

const mediaTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp"
}

export const mediaTypeOf = (extension: string): string => mediaTypes[extension] ?? "application/octet-stream"

/**
 * How many bytes of images a result contains at most. Claude Desktop refuses results of more than a million characters,
 * and a model pays for every image that it sees.
 */
const inlineLimit = 256 * 1024

const Image = z.object({
  path: z.string().describe("The absolute path of the saved file"),
  uri: z.string(),
  mimeType: z.string(),
  bytes: z.int()
})

const status = z
  .enum(["saved", "running", "failed", "not_accepted", "unknown"])
  .describe("running: call check_generation. unknown: it may have been accepted, and must not be submitted again")

/** The structured result of both tools. */
export const Output = z.object({
  status,
  message: z.string().describe("What happened, and which call to make next"),
  recordId: z.string().optional().describe("The id for check_generation"),
  model: z.string().optional(),
  seed: z.int().optional(),
  images: z.array(Image).optional(),
  missing: z.int().optional().describe("How many of the requested images did not come")
})

export type Output = z.infer<typeof Output>

export const ListOutput = Output.extend({
  status: status.optional(),
  generations: z
    .array(
      z.object({
        recordId: z.string().optional(),
        prompt: z.string(),
        seed: z.int(),
        isSaved: z.boolean(),
        isRunning: z.boolean()
      })
    )
    .optional()
})

const describeFile = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { size } = yield* fs.stat(file)
    return {
      name: path.basename(file),
      path: file,
      uri: pathToFileURL(file).href,
      mimeType: mediaTypeOf(path.extname(file).toLowerCase()),
      bytes: Number(size)
    }
  })

type SavedFile = Effect.Effect.Success<ReturnType<typeof describeFile>>

const link = ({ bytes, mimeType, name, uri }: SavedFile) =>
  ({ type: "resource_link", uri, name, mimeType, size: bytes }) as const

const inline = ({ mimeType, path }: SavedFile) =>
  Effect.map(
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFile(path)),
    (bytes) => ({ type: "image", data: Buffer.from(bytes).toString("base64"), mimeType }) as const
  )

/** The files that fit into a result. */
const fitting = (files: ReadonlyArray<SavedFile>): ReadonlyArray<SavedFile> => {
  const ends = files.map((_, index) => files.slice(0, index + 1).reduce((sum, { bytes }) => sum + bytes, 0))
  return files.filter((_, index) => (ends[index] ?? 0) <= inlineLimit)
}

const statusOf = ({ known, outcome }: Report): Output["status"] =>
  Option.match(outcome, {
    onNone: () => "running",
    onSome: (end) => {
      if (end._tag === "Saved" && (end.paths.length > 0 || end.failures.length === 0)) return "saved"
      if (known.recordId !== undefined) return "failed"
      return known.request === undefined ? "not_accepted" : "unknown"
    }
  })

/** The result of a call that generates or waits. The text has all that a client without structured results needs. */
export const reportResult = (
  report: Report,
  directory: string
): Effect.Effect<CallToolResult, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const saved = Option.filter(report.outcome, (outcome) => outcome._tag === "Saved")
    const paths = Option.match(saved, { onNone: () => [], onSome: ({ paths }) => paths })
    // A file that is gone by now is still named in the text.
    const files = yield* Effect.forEach(paths, (path) => Effect.option(describeFile(path))).pipe(
      Effect.map((found) => found.flatMap(Option.toArray))
    )
    const images = yield* Effect.forEach(fitting(files), (file) => Effect.option(inline(file)))
    const message = reportText(report, directory)
    const status = statusOf(report)
    const request = Option.getOrUndefined(report.request)
    const structuredContent: Output = {
      status,
      message,
      ...(report.known.recordId === undefined ? {} : { recordId: report.known.recordId }),
      ...(request === undefined ? {} : { model: request.model, seed: request.seed }),
      ...(Option.isNone(saved)
        ? {}
        : {
            images: files.map(({ bytes, mimeType, path, uri }) => ({ path, uri, mimeType, bytes })),
            missing: saved.value.missing
          })
    }
    return {
      content: [{ type: "text", text: message }, ...files.map(link), ...images.flatMap(Option.toArray)],
      structuredContent,
      isError: status !== "saved" && status !== "running"
    }
  })

/** The result of a call that lists the latest generations. */
export const listResult = (entries: ReadonlyArray<Listed>, directory: string): CallToolResult => {
  const message = listText(entries, directory)
  const structuredContent: z.infer<typeof ListOutput> = {
    message,
    generations: entries.map(({ record, report }) => ({
      ...(record.recordId === undefined ? {} : { recordId: record.recordId }),
      prompt: record.request.prompt,
      seed: record.request.seed,
      isSaved: record.last._tag === "Saved",
      isRunning: Option.exists(report, ({ outcome }) => Option.isNone(outcome))
    }))
  }
  return { content: [{ type: "text", text: message }], structuredContent }
}

/** The result of a call that did nothing. */
export const errorResult = (message: string): CallToolResult => ({
  content: [{ type: "text", text: message }],
  structuredContent: { status: "not_accepted", message } satisfies Output,
  isError: true
})
