import type { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { batch } from "../../support/batchWorld.js"
import { started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

type Replace = (fs: FileSystem.FileSystem, journal: string, copy: string) => Effect.Effect<void, unknown>

const byRename: Replace = (fs, journal, copy) =>
  Effect.zipRight(fs.writeFileString(`${journal}.new`, copy), fs.rename(`${journal}.new`, journal))
const inPlace: Replace = (fs, journal, copy) => fs.writeFileString(journal, copy)
const withMore: Replace = (fs, journal, copy) => byRename(fs, journal, `${copy}\n\n`)
const byRemoval: Replace = (fs, journal) => fs.remove(journal)

describe.concurrent("A journal that another program replaces while a batch runs", { timeout }, () => {
  // fault: Process | An editor, a file sync or a person replaces, truncates or removes the journal while a batch runs | The batch sends nothing more, writes what it knows to the new file, and the next run sends only the remaining rows
  it.scopedLive.each([
    ["by a file that is renamed", byRename],
    ["by a file that is renamed, with blank lines added", withMore],
    ["in place", inPlace],
    ["by nothing", byRemoval]
  ] as const)("%s: stops the batch before it sends more, and no row is sent twice", ([, replace]) =>
    Effect.gen(function* () {
      const { emulator, env, file, fs, images, run, saved } = yield* batch
      const journal = `${images}/effect-arta.jsonl`
      const path = yield* file("p.txt", "a fox\na hare\nan owl\na bee\n")
      // The editor has read the journal of an earlier run.
      expect((yield* run(yield* file("earlier.txt", "a cat\n"))).code).toBe(0)
      const copy = yield* fs.readFileString(journal)

      const { ended, wrote } = yield* started(["batch", path, "-o", images, "-c", "1", "--json"], { env })
      yield* wrote(/Saved/)
      yield* replace(fs, journal, copy)
      const { code, stderr } = yield* ended
      expect(code).toBe(3)
      expect(stderr).toContain(`has replaced or changed ${journal}`)
      const before = (yield* emulator.counts).submit
      expect(before).toBeLessThan(5)

      const again = yield* run(path)
      expect(again.code, again.stderr).toBe(0)
      expect((yield* emulator.counts).submit).toBe(5)
      expect(yield* saved).toHaveLength(5)
    }).pipe(onPort())
  )

  it.scopedLive("gets the entries of the last row too", () =>
    Effect.gen(function* () {
      const { emulator, env, file, fs, images, run } = yield* batch
      const journal = `${images}/effect-arta.jsonl`
      const path = yield* file("p.txt", "a fox\n")
      const { ended, wrote } = yield* started(["batch", path, "-o", images, "--json"], { env })
      yield* wrote(/Submitted/)
      yield* byRename(fs, journal, "")
      expect((yield* ended).code).toBe(0)
      expect((yield* run(path)).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort())
  )
})

describe.concurrent("A journal that an editor has saved", { timeout }, () => {
  it.scopedLive.each([
    ["without its last newline", (text: string) => text.trimEnd()],
    ["with blank lines", (text: string) => `\n${text.replaceAll("\n", "\n  \n\n")}\n`],
    ["with a byte order mark", (text: string) => `\ufeff${text}`],
    ["with a byte order mark and without its last newline", (text: string) => `\ufeff${text.trimEnd()}`],
    ["with the line ends of Windows", (text: string) => text.replaceAll("\n", "\r\n")]
  ] as const)("%s counts in full, and more is added to it", ([, edit]) =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, run, saved } = yield* batch
      const journal = `${images}/effect-arta.jsonl`
      expect((yield* run(yield* file("p.txt", "a fox\n"))).code).toBe(0)
      // Ends with the last entry, whose loss would be noticed: the row was accepted.
      const text = (yield* fs.readFileString(journal)).replace(/^.*"Saved".*\n$/m, "")
      yield* fs.writeFileString(journal, edit(text))

      for (const prompts of ["a fox\na hare\n", "a fox\na hare\nan owl\n"]) {
        const { code, stderr } = yield* run(yield* file("p.txt", prompts))
        expect(code, stderr).toBe(0)
      }
      expect((yield* emulator.counts).submit).toBe(3)
      expect(yield* saved).toHaveLength(3)
    }).pipe(onPort())
  )
})
