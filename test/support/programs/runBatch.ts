import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FileSystem } from "@effect/platform"
import { Console, Effect, Layer } from "effect"
import { ArtaApi } from "effect-arta"
import { BatchDatabase, DurableBatch, ImageSink, SubmissionLedger } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import { databaseLayer } from "../databaseLayer.js"
import type { RunnerSettings, SelfSignal } from "../durableBatch.js"
import { failing } from "../failingDisk.js"

// Runs the rows in a database until it is asked to stop, and saves their images to a directory.
const [, , url = "", json = "{}"] = process.argv
const settings = JSON.parse(json) as RunnerSettings
const { concurrency, directory, submissionsAtOnce } = settings

let rowsLeft = settings.signal?.after ?? 0

/** Sends this process its signal if this is the moment for it. */
const pass = (moment: SelfSignal["at"]) =>
  Effect.suspend(() => {
    if (moment !== settings.signal?.at || rowsLeft-- !== 0) return Effect.void
    process.stdout.write(`${settings.signal.signal}\n`)
    process.kill(process.pid, settings.signal.signal)
    // The signal arrives at once, but not before this function returns.
    return Effect.sleep("1 millis")
  })

const Disk = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) =>
    settings.diskFull ? failing(fs, { on: ["write"], failure: "no space left" }) : fs
  )
)

const SignallingApi = Layer.effect(
  ArtaApi.ArtaApi,
  Effect.map(ArtaApi.ArtaApi, (api) => ({
    ...api,
    submit: (request) => Effect.zipRight(pass("intended"), api.submit(request)),
    status: (id) => Effect.zipRight(pass("recorded"), api.status(id))
  }))
)

const SignallingLedger = Layer.effect(
  SubmissionLedger.SubmissionLedger,
  Effect.map(SubmissionLedger.SubmissionLedger, (ledger) => ({
    ...ledger,
    submit: (key, request) => Effect.zipRight(pass("claimed"), ledger.submit(key, request))
  }))
)

const SignallingSink = Layer.effect(
  ImageSink.ImageSink,
  Effect.map(ImageSink.ImageSink, (sink) => ({
    save: (generation, options) => Effect.zipLeft(sink.save(generation, options), pass("saved"))
  }))
)

const services = Layer.mergeAll(
  DurableBatch.layerWithoutLedger({ concurrency }),
  Layer.provide(SignallingLedger, SubmissionLedger.layerSql({ submissionsAtOnce })),
  Layer.provide(SignallingSink, Layer.provide(ImageSink.layerDirectory(directory), Disk)),
  SignallingApi
).pipe(
  Layer.provideMerge(BatchDatabase.layer()),
  Layer.provideMerge(Layer.merge(databaseLayer(url), NodeArta.layerConfig()))
)

Console.log("running").pipe(Effect.zipRight(DurableBatch.run), Effect.provide(services), NodeRuntime.runMain)
