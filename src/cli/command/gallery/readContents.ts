import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { GenerateRequest } from "effect-arta"
import { createHash } from "node:crypto"
import * as Journal from "../../shared/journal.js"
import { repeatCommand } from "../../shared/repeatCommand.js"
import type { Contents, Details, GalleryImage, GalleryRequest } from "./contents.js"
import { readSize } from "./imageSize.js"

const byName = new Intl.Collator("en", { numeric: true })

/** Whether a gallery shows a file of this name. */
const isImage = (name: string): boolean => !name.startsWith(".") && /\.(png|jpe?g|webp)$/i.test(name)

// The command generates more images or steps than the service allows only with --no-limits.
const limitFlags = ({ n, numInferenceSteps }: GenerateRequest.GenerateRequest): ReadonlyArray<string> =>
  n > 8 || numInferenceSteps > 100 ? ["--no-limits"] : []

const isEmulated = ({ key }: Journal.JournalRecord): boolean => key.startsWith("emulated-")

const detailsOf = (record: Journal.JournalRecord): Details => {
  const { request } = record
  const emulated = isEmulated(record)
  return {
    prompt: request.prompt,
    negative: request.negativePrompt,
    model: request.model,
    seed: request.seed,
    steps: request.numInferenceSteps,
    guidance: request.guidanceScale,
    aspect: request.aspectRatio,
    command: repeatCommand(request, [...limitFlags(request), ...(emulated ? ["--emulator"] : [])]),
    ...(emulated ? { emulated } : {})
  }
}

/** A request and the names of its files. */
interface Listing extends Omit<GalleryRequest, "images"> {
  readonly files: ReadonlyArray<string>
}

/** The part of a file name before the index of the image. */
const prefixOf = (file: string): string => file.replace(/-\d+\.\w+$/, "")

/**
 * The requests of the journal by first submission, each with its files in numeric order, then the other files by name.
 */
const listFiles = (
  names: ReadonlyArray<string>,
  records: ReadonlyArray<Journal.JournalRecord>
): ReadonlyArray<Listing> => {
  const existing = new Set(names)
  const byPrefix = new Map(Object.entries(Array.groupBy(names, prefixOf)))
  const claimed = new Set<string>()
  const claim = (file: string): boolean => existing.has(file) && !claimed.has(file) && Boolean(claimed.add(file))

  const known = records.map((record): Listing => {
    const saved = record.last._tag === "Saved" ? record.last.files : []
    const files = [...(byPrefix.get(record.name) ?? []), ...saved].filter(claim).sort(byName.compare)
    return { id: record.name, position: record.position, ...detailsOf(record), files }
  })
  const others = names
    .filter((name) => !claimed.has(name))
    .sort(byName.compare)
    // No name in the journal contains a slash.
    .map((file): Listing => ({ id: `/${file}`, files: [file] }))
  return [...known.filter(({ files }) => files.length > 0), ...others]
}

const skipImage = (name: string, why: string) =>
  Effect.as(Effect.logWarning(`${JSON.stringify(name)} is not in the gallery: ${why}`), Option.none<GalleryImage>())

/** Reads an image, unless it is the same as the known one. */
const readImage = (directory: string, name: string, known: GalleryImage | undefined) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, name)
    const info = yield* fs.stat(file)
    // Opening a pipe would block until something writes to it.
    if (info.type !== "File") return Option.none<GalleryImage>()
    const bytes = Number(info.size)
    const date = Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() })
    if (known?.bytes === bytes && known.date === date) return Option.some(known)
    const size = yield* readSize(file)
    if (Option.isNone(size)) return yield* skipImage(name, "it is not a readable PNG, JPEG or WebP image.")
    return Option.some<GalleryImage>({ file: name, ...size.value, bytes, date })
  }).pipe(Effect.catchAll((error) => skipImage(name, error.message)))

/** How many files are open at once. */
const concurrency = 8

/** Known images by file name. */
export type KnownImages = ReadonlyMap<string, GalleryImage>

export const imagesByName = (requests: ReadonlyArray<Pick<GalleryRequest, "images">>): KnownImages =>
  new Map(requests.flatMap(({ images }) => images.map((image) => [image.file, image] as const)))

/**
 * Reads the images of a directory, and what its journal knows of them. An unreadable image is left out with a warning.
 * A file with the size and date of a known image is not opened.
 */
export const readContents = (
  directory: string,
  known: KnownImages
): Effect.Effect<Contents, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const id = createHash("sha256")
      .update(yield* fs.realPath(directory))
      .digest("hex")
      .slice(0, 16)
    const names = (yield* fs.readDirectory(directory)).filter(isImage)
    const listings = listFiles(names, yield* Journal.read(directory))
    const readImages = ({ files, ...details }: Listing) =>
      Effect.map(
        Effect.forEach(files, (file) => readImage(directory, file, known.get(file))),
        (images): GalleryRequest => ({ ...details, images: Array.getSomes(images) })
      )
    // A fiber for each request would take as long as reading its files.
    const shares = Array.chunksOf(listings, Math.max(1, Math.ceil(listings.length / concurrency)))
    const requests = yield* Effect.forEach(shares, (share) => Effect.forEach(share, readImages), { concurrency })
    return { id, requests: requests.flat().filter(({ images }) => images.length > 0) }
  })
