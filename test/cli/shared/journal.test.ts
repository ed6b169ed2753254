import { Error, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, HashMap, Option, Record, Ref, Schema } from "effect"
import { GenerateRequest, Generation } from "effect-arta"
import { SetupError } from "../../../src/cli/shared/errors.js"
import * as Journal from "../../../src/cli/shared/journal.js"
import { lines } from "../../support/command.js"
import { failing } from "../../support/failingDisk.js"

const requestOf = (seed: number) => new GenerateRequest.GenerateRequest({ prompt: "a fox", seed })
const recordId = Generation.RecordId.make("0ab1c2d3-0000-4000-8000-000000000001")

const Keyed = Schema.Struct({ _tag: Schema.String, key: Schema.String })

const decodeEntry = Schema.decodeUnknownSync(Schema.parseJson(Keyed))

const inDirectory = <A, E, R>(test: (fs: FileSystem.FileSystem, directory: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(fs, yield* fs.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

const recordOf = (directory: string, key: string) =>
  Effect.gen(function* () {
    const { records } = yield* Journal.open(directory)
    return Option.getOrUndefined(HashMap.get(yield* records, key))
  }).pipe(Effect.scoped)

const noSpace = new Error.SystemError({
  module: "FileSystem",
  method: "writeAll",
  reason: "Unknown",
  pathOrDescriptor: 7,
  description: "ENOSPC: no space left on device, write"
})

type WriteAll = FileSystem.File["writeAll"]

/** A disk whose files are written by `change`. */
const withWriteAll = (
  fs: FileSystem.FileSystem,
  change: (writeAll: WriteAll, isAppending: boolean) => WriteAll
): FileSystem.FileSystem => ({
  ...fs,
  open: (path, options) =>
    Effect.map(fs.open(path, options), (file) => {
      const writeAll = change((bytes) => file.writeAll(bytes), options?.flag === "a")
      return new Proxy(file, {
        get: (target, property) => {
          if (property === "writeAll") return writeAll
          const value: unknown = Reflect.get(target, property)
          return typeof value === "function" ? (value.bind(target) as unknown) : value
        }
      })
    })
})

/** A disk on which files stop growing, in the middle of a line, once `isFull`. What they contain can still be changed. */
const fillingDisk = (fs: FileSystem.FileSystem, isFull: Ref.Ref<boolean>) =>
  withWriteAll(
    fs,
    (writeAll, isAppending) => (bytes) =>
      Effect.if(Ref.get(isFull), {
        onFalse: () => writeAll(bytes),
        onTrue: () =>
          isAppending ? Effect.zipRight(writeAll(bytes.subarray(0, 20)), Effect.fail(noSpace)) : writeAll(bytes)
      })
  )

describe("The journal on a disk that becomes full", () => {
  // fault: Process | The disk becomes full while submissions are in flight | Every record id is in the journal, and no entry is half written
  it.effect("has room for the record ids of all submissions that it has recorded", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const isFull = yield* Ref.make(false)
        const keys = ["one", "two", "three"]
        const journal = yield* Journal.open(directory).pipe(
          Effect.provideService(FileSystem.FileSystem, fillingDisk(fs, isFull))
        )
        yield* Effect.forEach(keys, (key, seed) => journal.begin(key, requestOf(seed)))
        yield* Ref.set(isFull, true)
        const error = yield* Effect.flip(journal.begin("four", requestOf(4)))
        expect(error).toMatchObject({ _tag: "SystemError", pathOrDescriptor: `${directory}/effect-arta.jsonl` })
        yield* Effect.forEach(keys, (key) => journal.note({ _tag: "Submitted", key, recordId }))
        expect(yield* Effect.flip(journal.note({ _tag: "Saved", key: "one", files: [] }))).toMatchObject({
          _tag: "SystemError"
        })

        for (const key of keys) expect(yield* recordOf(directory, key)).toMatchObject({ recordId, last: { key } })
        expect(yield* recordOf(directory, "four")).toBeUndefined()
      })
    )
  )

  it.effect("records a refusal, so that the row is submitted again", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const isFull = yield* Ref.make(false)
        const journal = yield* Journal.open(directory).pipe(
          Effect.provideService(FileSystem.FileSystem, fillingDisk(fs, isFull))
        )
        yield* journal.begin("one", requestOf(1))
        yield* Ref.set(isFull, true)
        yield* journal.note({ _tag: "NotAccepted", key: "one" })
        expect(yield* recordOf(directory, "one")).toMatchObject({ last: { _tag: "NotAccepted" } })
      })
    )
  )

  it.effect("appends a record id that is longer than its room", () =>
    inDirectory((_, directory) =>
      Effect.gen(function* () {
        const long = Generation.RecordId.make("a".repeat(200))
        const journal = yield* Journal.open(directory)
        yield* journal.begin("one", requestOf(1))
        yield* journal.note({ _tag: "Submitted", key: "one", recordId: long })
        expect(yield* recordOf(directory, "one")).toMatchObject({ recordId: long })
      })
    )
  )
})

describe("The journal", () => {
  // fault: Process | The disk fails to flush the journal | Nothing is sent, and the row is not recorded as started
  it.effect("lets nothing be sent before the intent is flushed to the disk", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const disk = failing(fs, { on: ["sync"], failure: "no space left", suffix: "effect-arta.jsonl" })
        const journal = yield* Journal.open(directory).pipe(Effect.provideService(FileSystem.FileSystem, disk))
        expect(yield* Effect.flip(journal.begin("one", requestOf(1)))).toMatchObject({ _tag: "SystemError" })
        expect(yield* recordOf(directory, "one")).toBeUndefined()
      })
    )
  )

  it.effect("reports a record id that is not flushed to the disk", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const failures = yield* Ref.make(false)
        const disk: FileSystem.FileSystem = {
          ...fs,
          open: (path, options) =>
            Effect.map(fs.open(path, options), (file) =>
              Object.defineProperty(Object.create(file) as FileSystem.File, "sync", {
                value: Effect.if(Ref.get(failures), { onTrue: () => Effect.fail(noSpace), onFalse: () => file.sync })
              })
            )
        }
        const journal = yield* Journal.open(directory).pipe(Effect.provideService(FileSystem.FileSystem, disk))
        yield* journal.begin("one", requestOf(1))
        yield* Ref.set(failures, true)
        const error = yield* Effect.flip(journal.note({ _tag: "Submitted", key: "one", recordId }))
        expect(error).toMatchObject({ _tag: "SystemError" })
      })
    )
  )

  it.effect("records a request as not accepted that another batch keeps from being sent", () =>
    inDirectory((_, directory) =>
      Effect.gen(function* () {
        const lost = new SetupError({ message: "Another batch has taken over." })
        const journal = yield* Journal.open(directory, { beforeSend: lost })
        expect(yield* Effect.flip(journal.begin("one", requestOf(1)))).toBe(lost)
        expect(yield* recordOf(directory, "one")).toMatchObject({ last: { _tag: "NotAccepted" } })
      })
    )
  )

  // fault: Process | Another program puts an older copy in the place of the journal | the copy gets the entries that it lacks, and nothing more is sent
  it.effect("gives its entries to a file that has taken its place, each once", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const file = `${directory}/effect-arta.jsonl`
        const entries = Effect.map(fs.readFileString(file), (text) => lines(text).map((line) => decodeEntry(line)))
        const journal = yield* Journal.open(directory)
        const keys = ["sent", "refused", "accepted", "saved", "known"]
        yield* Effect.forEach(keys, (key, seed) => journal.begin(key, requestOf(seed)))
        yield* journal.note({ _tag: "NotAccepted", key: "refused" })
        yield* Effect.forEach(keys.slice(2), (key) => journal.note({ _tag: "Submitted", key, recordId }))
        yield* Effect.forEach(keys.slice(3), (key) => journal.note({ _tag: "Saved", key, files: [] }))

        const isOld = ({ _tag, key }: typeof Keyed.Type) =>
          key === "known" || `${_tag} ${key}` === "Submitting accepted"
        const copy = lines(yield* fs.readFileString(file)).filter((line) => isOld(decodeEntry(line)))
        yield* fs.remove(file)
        yield* fs.writeFileString(file, `${copy.join("\n")}\n`)
        expect(yield* Effect.flip(journal.begin("next", requestOf(9)))).toMatchObject({ _tag: "SetupError" })

        const tags = Array.groupBy(yield* entries, ({ key }) => key)
        expect(Record.map(tags, (ofKey) => ofKey.map(({ _tag }) => _tag))).toEqual({
          sent: ["Submitting"],
          refused: ["Submitting", "NotAccepted"],
          accepted: ["Submitting", "Submitting", "Submitted"],
          saved: ["Submitting", "Submitted", "Saved"],
          known: ["Submitting", "Submitted", "Saved"]
        })
        expect(yield* recordOf(directory, "saved")).toMatchObject({ recordId, last: { _tag: "Saved" } })
        expect(yield* recordOf(directory, "next")).toBeUndefined()

        // The file may come back, but this run sends nothing more.
        expect(yield* Effect.flip(journal.begin("next", requestOf(9)))).toMatchObject({ _tag: "SetupError" })
        expect(yield* entries).toHaveLength(12)
      })
    )
  )

  it.effect("numbers the names of equal requests, and of files that it does not know", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${directory}/a-fox-7-0.png`, "not ours")
        const journal = yield* Journal.open(directory)
        yield* Effect.forEach(["one", "two", "one"], (key) => journal.begin(key, requestOf(7)))
        yield* journal.begin("three", requestOf(8))
        const names = yield* Effect.forEach(["one", "two", "three"], (key) => recordOf(directory, key))
        expect(names.map((record) => record?.name)).toEqual(["a-fox-7-2", "a-fox-7-3", "a-fox-8"])
      })
    )
  )
})
