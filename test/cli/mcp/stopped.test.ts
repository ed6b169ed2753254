import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Console, Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { Fault } from "effect-arta/testing"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"
import * as CountingUpstream from "../../support/countingUpstream.js"
import { mcpClient, mcpServer, mcpTools, textOf, until } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }

/** A server that hands back at once and that a test can stop, and what it prints. */
const stoppable = (env: Readonly<Record<string, string | undefined>>, directory: string) =>
  Effect.gen(function* () {
    const printed = yield* Ref.make<ReadonlyArray<string>>([])
    const scope = yield* Scope.make()
    const console = yield* Console.consoleWith(Effect.succeed)
    const print = (line: string) => Ref.update(printed, (lines) => [...lines, line])
    const server = yield* mcpServer({ env, directory, patience: "1 millis" }).pipe(
      Scope.extend(scope),
      Effect.withConsole({ ...console, error: print })
    )
    return { ...server, printed: Ref.get(printed), stop: Scope.close(scope, Exit.void) }
  })

/** A server whose submission waits at the service, which responds a moment after the server is told to stop. */
const stoppedWhile = (moment: CountingUpstream.Moment, faults: ReadonlyArray<Fault.Fault> = []) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const { emulator, environment, hold } = yield* CountingUpstream.CountingUpstream
    const { reached, release } = yield* hold(moment)
    const env = { ...environment, ARTA_TOKEN_FILE: `${directory}/credentials.json` }
    const { generate, printed, stop } = yield* stoppable(env, directory)
    yield* generate(fox)
    yield* reached
    yield* Effect.forEach(faults, (fault) => emulator.inject(fault))
    yield* Effect.zip(stop, release, { concurrent: true })
    const other = yield* mcpServer({ env, directory })
    return { directory, printed: yield* printed, listed: textOf(yield* other.check()) }
  }).pipe(Effect.provide(Layer.merge(CountingUpstream.layer({ drawTime: "1 hour" }), NodeContext.layer)))

const accepted = /^The service has accepted the generation (\S+)\. To get its images: effect-arta watch \1 -o (\S+)$/

describe.concurrent("effect-arta mcp when it is stopped", { timeout }, () => {
  it.scopedLive("waits for the response to a submission, and says how to get its images", () =>
    Effect.gen(function* () {
      const { directory, listed, printed } = yield* stoppedWhile("accepted")
      expect(printed).toEqual([expect.stringMatching(accepted)])
      const [, recordId = "no id", output] = accepted.exec(printed[0] ?? "") ?? []
      expect(output).toBe(directory)
      expect(listed).toContain(`recordId "${recordId}": accepted, its images are not saved yet.`)
    })
  )

  it.scopedLive("says that a submission may be accepted if no response to it arrives", () =>
    Effect.gen(function* () {
      const { listed, printed } = yield* stoppedWhile("arrived", [Fault.drop("submit", { handled: true })])
      expect(printed).toEqual([expect.stringMatching(/^The service may or may not have accepted the generation/)])
      expect(printed[0]).toContain("(seed 7)")
      expect(listed).toContain("No recordId: the service may or may not have accepted it, and it was not sent again.")
    })
  )

  it.scopedLive(
    "says nothing of generations that have ended, that a client was told about, or that were not sent",
    () =>
      Effect.gen(function* () {
        const { emulator, env, images } = yield* setUp
        const { check, generate, printed, stop } = yield* stoppable(env, images)
        const isListed = (text: string) => Effect.map(check(), (result) => textOf(result).includes(text))
        yield* generate(fox)
        yield* until(isListed("saved as a-fox-7-0.png"))
        yield* emulator.inject(Fault.failGeneration("FAILED", "NSFW"))
        yield* generate({ ...fox, seed: 8 })
        yield* until(Effect.map(generate({ ...fox, seed: 8 }), (result) => textOf(result).includes("NSFW")))
        yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "600" } }))
        yield* generate({ ...fox, seed: 9 })
        yield* until(isListed("not accepted, nothing is charged"))
        yield* stop
        expect(yield* printed).toEqual([])
      }).pipe(onPort())
  )

  it.scopedLive("tells a call that still waits how to get the images", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const scope = yield* Scope.make()
      const make = yield* Scope.extend(mcpTools({ env, directory: images }), scope)
      const { generate } = yield* mcpClient(make)
      const call = yield* Effect.fork(generate(fox))
      yield* until(Effect.map(emulator.counts, ({ status }) => status > 0))
      yield* Scope.close(scope, Exit.void)
      const result = yield* Fiber.join(call)
      const recordId = result.structuredContent?.recordId ?? "none"
      expect(textOf(result)).toBe(
        `The server was stopped. Call check_generation with recordId "${recordId}" once it runs again. ` +
          "Do not call generate_image again for it: that would be charged a second time."
      )
    }).pipe(onPort({ queueTime: "1 hour" }))
  )
})
