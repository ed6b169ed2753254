import { HttpClient } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { describe, expect, it } from "@effect/vitest"
import { Console, Deferred, Duration, Effect, Fiber, HashMap, Layer, Option, Redacted, Ref, TestClock } from "effect"
import { Arta, ArtaApi, ArtaError, Auth, Generation, Polling } from "effect-arta"
import * as FileNames from "../../../src/cli/shared/fileNames.js"
import * as SubmissionJournal from "../../../src/cli/shared/submissionJournal.js"

const diskFull = new SystemError({ reason: "Unknown", module: "FileSystem", method: "write", description: "disk full" })
const fails = Effect.fail(diskFull)
const recordId = Generation.RecordId.make("record-1")
const images = [{ index: 0, url: "https://images.example/0.png" }] as const
const refusal = new ArtaError.AuthError({ reason: "USER_DISABLED" })

interface Scenario {
  readonly journal?: Partial<SubmissionJournal.SubmissionJournal>
  readonly submit?: Effect.Effect<Generation.RecordId, ArtaApi.SubmitError>
  readonly token?: Auth.Service["token"]
}

/** Submits a request through a journal, and counts what reaches the service. */
const submitted = ({ journal = {}, submit = Effect.succeed(recordId), token }: Scenario) =>
  Effect.gen(function* () {
    const sent = yield* Ref.make(0)
    const calls = yield* Ref.make<ReadonlyArray<string>>([])
    const recorded = <E = never>(call: string, hook: Effect.Effect<void, E> = Effect.void) =>
      Effect.zipRight(
        Ref.update(calls, (before) => [...before, call]),
        hook
      )
    const api = Layer.succeed(ArtaApi.ArtaApi, {
      submit: () =>
        Effect.zipRight(
          Ref.update(sent, (n) => n + 1),
          submit
        ),
      status: () => Effect.succeed({ _tag: "Done", images })
    })
    const auth =
      token === undefined
        ? Auth.layerToken("token")
        : Layer.succeed(Auth.Auth, { token, renew: () => token, signOut: Effect.void })
    const effect = Arta.run({ prompt: "a fox" }, { polling: Polling.fixed("1 second"), timeout: "5 seconds" }).pipe(
      SubmissionJournal.withJournal({
        begin: (request) => recorded("begin", journal.begin?.(request)),
        accepted: (id) => recorded(`accepted ${id}`, journal.accepted?.(id)),
        refused: recorded("refused", journal.refused)
      }),
      Effect.provide(Layer.provideMerge(SubmissionJournal.layer, Layer.merge(api, auth)))
    )
    return { calls, effect, sent }
  })

describe("A journal of submissions", () => {
  it.effect("records a submission before and after it is sent", () =>
    Effect.gen(function* () {
      const { calls, effect, sent } = yield* submitted({})
      expect(yield* effect).toMatchObject({ recordId })
      expect(yield* Ref.get(calls)).toEqual(["begin", "accepted record-1"])
      expect(yield* Ref.get(sent)).toBe(1)
    })
  )

  it.effect("sends nothing if it cannot record the request, and fails with the typed error at once", () =>
    Effect.gen(function* () {
      const { effect, sent } = yield* submitted({ journal: { begin: () => fails } })
      expect(yield* Effect.flip(effect)).toMatchObject({ _tag: "SystemError" })
      expect(yield* Ref.get(sent)).toBe(0)
    })
  )

  it.effect("fails with the typed error if it cannot record the response", () =>
    Effect.gen(function* () {
      const { effect, sent } = yield* submitted({ journal: { accepted: () => fails } })
      expect(yield* Effect.flip(effect)).toMatchObject({ _tag: "SystemError" })
      expect(yield* Ref.get(sent)).toBe(1)
    })
  )

  it.effect("puts its own failure before a token error", () =>
    Effect.gen(function* () {
      const token = Effect.fail(refusal)
      const recorded = yield* submitted({ token })
      expect(yield* Effect.flip(recorded.effect)).toMatchObject({ _tag: "AuthError" })
      expect(yield* Ref.get(recorded.calls)).toEqual(["begin", "refused"])
      const failing = yield* submitted({ token, journal: { begin: () => fails } })
      expect(yield* Effect.flip(failing.effect)).toMatchObject({ _tag: "SystemError" })
      expect(yield* Ref.get(failing.sent)).toBe(0)
    })
  )

  it.effect("puts its own failure before a refusal by the service", () =>
    Effect.gen(function* () {
      const submit = Effect.fail(new ArtaError.UnauthorizedError({ operation: "submit" }))
      const { effect } = yield* submitted({ submit, journal: { refused: fails } })
      expect(yield* Effect.flip(effect)).toMatchObject({ _tag: "SystemError" })
    })
  )

  it.effect("adds the record id to a timeout if the response arrives after it", () =>
    Effect.gen(function* () {
      const { effect } = yield* submitted({ submit: Effect.delay(Effect.succeed(recordId), "8 seconds") })
      const fiber = yield* Effect.fork(Effect.flip(effect))
      yield* TestClock.adjust("8 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "GenerationTimeoutError", recordId })
    })
  )

  it.effect("adds the request to a timeout if no response arrives, and records an unsent request as refused", () =>
    Effect.gen(function* () {
      const unknown = yield* submitted({ submit: Effect.never })
      const unsent = yield* submitted({ token: Effect.never })
      const fibers = yield* Effect.forEach([unknown, unsent], ({ effect }) => Effect.fork(Effect.flip(effect)))
      yield* TestClock.adjust("15 seconds")
      const [first, second] = yield* Effect.forEach(fibers, Fiber.join)
      expect(first).toMatchObject({ _tag: "GenerationTimeoutError", request: { prompt: "a fox" } })
      expect(yield* Ref.get(unknown.calls)).toEqual(["begin"])
      expect(second).toMatchObject({ _tag: "GenerationTimeoutError" })
      expect(second).not.toHaveProperty("request")
      expect(yield* Ref.get(unsent.calls)).toEqual(["begin", "refused"])
    })
  )

  it.effect("waits for the response after an interruption, for 10 seconds at most", () =>
    Effect.gen(function* () {
      const response = yield* Deferred.make<Generation.RecordId>()
      const accepted = yield* submitted({ submit: Deferred.await(response) })
      const silent = yield* submitted({ submit: Effect.never })
      const fibers = yield* Effect.forEach([accepted, silent], ({ effect }) => Effect.fork(effect))
      yield* TestClock.adjust(Duration.millis(1))
      const ends = yield* Effect.forEach(fibers, (fiber) => Effect.fork(Fiber.interrupt(fiber)))
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(response, recordId)
      yield* TestClock.adjust("8 seconds")
      yield* Effect.forEach(ends, Fiber.join)
      expect(yield* Ref.get(accepted.calls)).toEqual(["begin", "accepted record-1"])
      expect(yield* Ref.get(silent.calls)).toEqual(["begin"])
    })
  )

  it.effect("ends an interruption at once if it cannot record the response", () =>
    Effect.gen(function* () {
      const response = yield* Deferred.make<Generation.RecordId>()
      const { effect } = yield* submitted({ submit: Deferred.await(response), journal: { accepted: () => fails } })
      const fiber = yield* Effect.fork(effect)
      yield* TestClock.adjust(Duration.millis(1))
      const end = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Deferred.succeed(response, recordId)
      yield* Fiber.join(end)
    })
  )

  // fault: Process | The journal cannot be written after a submission was accepted | The record id is printed with the command that gets its images
  it.effect("prints a record id that it cannot record", () =>
    Effect.gen(function* () {
      const printed = yield* Ref.make("")
      const console = yield* Console.consoleWith(Effect.succeed)
      const journal = {
        records: Effect.succeed(HashMap.empty()),
        files: FileNames.make([]),
        begin: () => Effect.void,
        note: () => fails,
        addSaved: () => Effect.void
      }
      const { accepted } = SubmissionJournal.fromJournal(journal, "key", Option.some(["-o", "my images"]))
      const error = yield* Effect.flip(accepted(recordId)).pipe(
        Effect.withConsole({ ...console, error: (text: string) => Ref.set(printed, text) })
      )
      expect(error).toBe(diskFull)
      expect(yield* Ref.get(printed)).toMatch(
        /accepted the generation record-1, .*: effect-arta watch record-1 -o 'my images'$/
      )
    })
  )

  it.effect("records a submission that was interrupted before it left as refused", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      const client = HttpClient.make(() =>
        Effect.zipRight(
          Ref.update(sent, (n) => n + 1),
          Effect.never
        )
      )
      const begun = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (call: string) => Ref.update(begun, (before) => [...before, call])
      /** The token of the submission comes after the wait, that of the journal at once. */
      const auth = (wait: Effect.Effect<void>) =>
        Layer.sync(Auth.Auth, () => {
          const token = Effect.succeed(Redacted.make("token"))
          let isFirst = true
          const next = Effect.suspend(() => {
            const turn = isFirst ? Effect.void : wait
            isFirst = false
            return Effect.zipRight(turn, token)
          })
          return { token: next, renew: () => token, signOut: Effect.void }
        })
      const submitAfter = (wait: Effect.Effect<void>) =>
        Arta.run({ prompt: "a fox" }, { timeout: "5 seconds" }).pipe(
          SubmissionJournal.withJournal({
            begin: () => note("begin"),
            accepted: () => note("accepted"),
            refused: note("refused")
          }),
          Effect.provide(
            SubmissionJournal.layer.pipe(
              Layer.provideMerge(ArtaApi.layer()),
              Layer.provideMerge(Layer.merge(auth(wait), Layer.succeed(HttpClient.HttpClient, client)))
            )
          ),
          Effect.flip
        )
      const fibers = yield* Effect.forEach([Effect.never, Effect.void], (wait) => Effect.fork(submitAfter(wait)))
      yield* TestClock.adjust("15 seconds")
      const [unsent, unknown] = yield* Effect.forEach(fibers, Fiber.join)
      expect(unsent).not.toHaveProperty("request")
      expect(unknown).toMatchObject({ _tag: "GenerationTimeoutError", request: { prompt: "a fox" } })
      expect(yield* Ref.get(begun)).toEqual(["begin", "begin", "refused"])
      expect(yield* Ref.get(sent)).toBe(1)
    })
  )
})
