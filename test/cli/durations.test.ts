import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { command } from "../support/command.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

const Durations = Schema.parseJson(
  Schema.Struct({
    durations: Schema.Array(
      Schema.Struct({ key: Schema.String, weights: Schema.Array(Schema.Tuple(Schema.Number, Schema.Number)) })
    )
  })
)

describe.concurrent("The durations that the command learns", { timeout }, () => {
  it.scopedLive("are kept beside the session, separately for each service", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      const file = `${directory}/durations.json`
      const generate = Effect.gen(function* () {
        expect(yield* command(["generate", "a fox", "-o", images], { env })).toMatchObject({ code: 0 })
        const { durations } = yield* Schema.decode(Durations)(yield* fs.readFileString(file))
        const { key = "", weights = [] } = durations[0] ?? {}
        expect(key).toMatch(/^Queued 1 /)
        expect(key.endsWith(` ${String(env["ARTA_API_URL"])}`)).toBe(true)
        return weights.reduce((sum, [, weight]) => sum + weight, 0)
      })
      expect(yield* generate).toBeCloseTo(1)
      expect((yield* fs.stat(file)).mode & 0o777).toBe(0o600)
      expect(yield* generate).toBeGreaterThan(1.5)
    }).pipe(onPort())
  )

  it.scopedLive("are not kept for the emulator in memory", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      expect(yield* command(["generate", "a fox", "--emulator", "-o", images], { env })).toMatchObject({ code: 0 })
      expect(yield* fs.readDirectory(directory)).toEqual(["images"])
    }).pipe(onPort())
  )

  // fault: Store | A file of durations that cannot be written or read, at a command | exit code 0, and no message
  it.scopedLive("delay and change nothing if they cannot be stored", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      yield* fs.makeDirectory(`${directory}/durations.json`)
      const { code, stderr } = yield* command(["generate", "a fox", "-o", images], { env })
      expect(code).toBe(0)
      expect(stderr).not.toContain("durations")
    }).pipe(onPort())
  )
})
