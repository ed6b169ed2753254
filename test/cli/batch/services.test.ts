import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { keyPrefix } from "../../../src/cli/shared/serviceKey.js"
import { batch } from "../../support/batchWorld.js"
import { command } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const prefixAt = (url: string | undefined) =>
  Effect.withConfigProvider(
    keyPrefix({ emulator: false }),
    ConfigProvider.fromMap(new Map(url === undefined ? [] : [["ARTA_API_URL", url]]))
  )

describe("The keys of a batch", () => {
  it.scopedLive(
    "differ between services, so that a row counts only for the one that generated it",
    () =>
      Effect.gen(function* () {
        const { emulator, env, file, images, run, saved } = yield* batch
        const path = yield* file("p.txt", "a fox\n")
        expect((yield* run(path)).code).toBe(0)
        expect((yield* run(path)).code).toBe(0)
        expect((yield* emulator.counts).submit).toBe(1)
        // The same emulator by another name.
        const other = { ...env, ARTA_API_URL: env["ARTA_API_URL"]?.replace("127.0.0.1", "localhost") }
        expect((yield* command(["batch", path, "-o", images], { env: other })).code).toBe(0)
        expect((yield* emulator.counts).submit).toBe(2)
        expect(yield* saved).toHaveLength(2)
      }).pipe(onPort()),
    timeout
  )

  it.effect.each([
    undefined,
    "https://img-gen-prod.ai-arta.com/api/v1",
    "https://IMG-gen-prod.ai-arta.com:443/api/v1/ "
  ])("are those of earlier versions for the real service: %s", (url) =>
    Effect.gen(function* () {
      expect(yield* prefixAt(url)).toBe("")
    })
  )

  it.effect("contain no URL", () =>
    Effect.gen(function* () {
      expect(yield* prefixAt("https://gateway.example/secret/v1")).toMatch(/^service-[0-9a-f]{8}-$/)
    })
  )
})
