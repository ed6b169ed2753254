import { fileURLToPath } from "node:url"
import { configDefaults, defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Where the random tests start: see test/support/suite.ts. */
const seed = (process.env["ARTA_TEST_SEED"] ??= String(Math.floor(Math.random() * 2 ** 31)))

/** What every test of this project needs, in whatever suite it runs. */
export const shared = {
  testTimeout: 15_000,
  // Hooks bundle programs and start browsers.
  hookTimeout: 60_000,
  env: { ARTA_TEST_SEED: seed },
  setupFiles: source("test/support/setup.ts"),
  alias: {
    "effect-arta/node": source("src/node/index.ts"),
    "effect-arta/testing": source("src/testing/index.ts"),
    "effect-arta/batch": source("src/batch/index.ts"),
    "effect-arta/ai-sdk": source("src/ai-sdk/index.ts"),
    "effect-arta/server": source("src/server/index.ts"),
    "effect-arta/ai": source("src/ai/index.ts"),
    "effect-arta": source("src/index.ts")
  }
}

const all = ["test/**/*.test.ts", "examples/**/*.test.ts"]

/** Only the full suite runs these: they read tens of megabytes, make random cases, or repeat one for each failure. */
const thorough = [
  "test/ArtaApi/serviceText.test.ts",
  "test/Auth/blockedProcess.test.ts",
  "test/Auth/model.test.ts",
  "test/Auth/refusedAccounts.test.ts",
  "test/Auth/serviceUrls.test.ts",
  "test/ImageFile/metadataDamage.test.ts",
  "test/ImageFile/metadataFormats.test.ts",
  "test/ImageFile/metadataUnchanged.test.ts",
  "test/ImageFile/waiting.test.ts",
  "test/ImageFile/wholeImages.test.ts",
  "test/TokenStore/diskFailures.test.ts",
  "test/TokenStore/lock.test.ts",
  "test/TokenStore/unavailableLock.test.ts",
  "test/cli/batch/again.test.ts",
  "test/cli/batch/order.test.ts",
  "test/cli/batch/refused.test.ts",
  "test/cli/batch/replacedJournal.test.ts",
  "test/cli/batch/sharedDatabase.test.ts",
  "test/cli/exitCodes.test.ts",
  "test/cli/generate.test.ts",
  "test/cli/metadata.test.ts",
  "test/cli/proxyPassword.test.ts",
  "test/node/NodeArta.test.ts",
  "test/node/connecting.test.ts",
  "test/node/timeLimits.test.ts",
  "test/robustness/bodies.test.ts",
  "test/robustness/decoders.test.ts",
  "test/robustness/secrets.test.ts",
  "test/robustness/sockets.test.ts",
  "test/robustness/timeLimits.test.ts",
  "test/robustness/unsent.test.ts",
  "test/robustness/unusualResponses.test.ts"
]

/** Only the full suite runs these: they start many processes, a browser or a compiler, or wait for long timeouts. */
export const slow = [
  "test/server/stopping.test.ts",
  "test/server/clients.test.ts",
  "test/ai-sdk/generateImage.test.ts",
  "test/DurationStore/processes.test.ts",
  "test/batch/enqueuers.test.ts",
  "test/batch/stopped.test.ts",
  "test/batch/databaseRestart.test.ts",
  "test/batch/fullDisk.test.ts",
  "test/batch/killed.test.ts",
  "test/TokenStore/crash.test.ts",
  "test/TokenStore/processes.test.ts",
  "test/robustness/process.test.ts",
  "test/robustness/processEnd.test.ts",
  "test/batch/postgres.test.ts",
  "test/batch/s3.test.ts",
  "test/node/suspended.test.ts",
  "test/node/building.test.ts",
  "test/node/silentProxy.test.ts",
  "test/ImageFile/metadataTools.test.ts",
  "test/cli/batch/killed.test.ts",
  "test/cli/batch/postgres.test.ts",
  "test/cli/batch/standardInput.test.ts",
  "test/cli/batch/stopped.test.ts",
  "test/cli/commandLine/shells.test.ts",
  "test/cli/output.test.ts",
  "test/cli/settings.test.ts",
  "test/cli/silentService.test.ts",
  "test/cli/mcp/processes.test.ts",
  "test/cli/mcp/silentService.test.ts",
  "test/cli/terminal.test.ts",
  "test/cli/gallery/browser.test.ts",
  "test/cli/gallery/viewer.test.ts",
  "test/cli/gallery/live.test.ts",
  "test/cli/statusBrowser.test.ts",
  "test/server/pageBrowser.test.ts",
  "test/testing/browser.test.ts",
  "test/package/compile.test.ts",
  "test/package/programs.test.ts",
  "test/package/size.test.ts"
]

/** Only the nightly workflow runs these, with ARTA_TEST_NIGHTLY: they take many minutes of real time. */
export const nightly = [
  "test/batch/randomKills.test.ts",
  "test/batch/suspended.test.ts",
  "test/cli/mcp/clients.test.ts"
]

/** The files that take longest, longest first. Each of them has little code of its own, so Vitest would start it late. */
const longest = [
  "test/TokenStore/unavailableLock.test.ts",
  "test/ai-sdk/generateImage.test.ts",
  "test/batch/postgres.test.ts",
  "test/TokenStore/crash.test.ts",
  "test/batch/stopped.test.ts",
  "test/batch/killed.test.ts",
  "test/cli/batch/killed.test.ts",
  "test/package/compile.test.ts",
  "test/Auth/model.test.ts",
  "test/batch/enqueuers.test.ts",
  "test/batch/databaseRestart.test.ts",
  "test/DurationStore/processes.test.ts",
  "test/cli/mcp/silentService.test.ts",
  "test/batch/DurableBatch.test.ts",
  "test/batch/SubmissionLedger.test.ts",
  "test/batch/TokenStore.test.ts"
]

/** Starts the longest files first, so that no worker is idle while another one runs them at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((file) => moduleId.endsWith(`/${file}`))
      return index === -1 ? longest.length : index
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig(({ mode }) => {
  const isFull = mode === "full"
  const conformance = "test/conformance"
  const project = {
    ...shared,
    env: { ...shared.env, ARTA_TEST_SUITE: isFull ? "full" : "quick" },
    // Each thread loads Effect once instead of once per file, which would take most of the time.
    isolate: false,
    pool: "threads" as const
  }
  const unit = {
    test: {
      ...project,
      name: "unit",
      include: all,
      exclude: [...configDefaults.exclude, conformance, ...slow, ...thorough, ...nightly]
    }
  }
  const isNightly = process.env["ARTA_TEST_NIGHTLY"] !== undefined
  const include = [...slow, ...thorough, ...(isNightly ? nightly : [])]
  const full = { test: { ...project, name: "full", include } }
  return {
    test: {
      projects: isFull ? [unit, full] : [unit],
      isolate: false,
      sequence: { sequencer: LongestFirst },
      // Many tests wait for an emulator or a process. Two workers would leave a core idle meanwhile.
      maxWorkers: 3,
      // Vitest 3 fails at the end where it stops idle workers before the others are done.
      minWorkers: 3,
      maxConcurrency: 10,
      globalSetup: ["test/support/printSeed.ts", "test/support/build.ts"],
      coverage: {
        include: ["src/**/*.ts"],
        // The full suite runs these in processes, terminals and shells, and coverage does not look into those.
        exclude: [
          "src/cli/{main,start,version}.ts",
          "src/cli/command/{emulator,generate}.ts",
          "src/cli/command/batch/{batchProgress,confirm}.ts",
          "src/cli/command/batch/durable/progress.ts",
          "src/cli/command/mcp/{http,mcp,printUnfinished,sessions,stdio}.ts",
          "src/cli/command/serve/listen.ts",
          "src/cli/commandLine/completions/*.ts",
          "src/cli/shared/{liveLine,progress,settings,standardOutput}.ts"
        ],
        // Twice as fast as the default, which converts the raw coverage without a syntax tree.
        experimentalAstAwareRemapping: true,
        reporter: ["text"],
        thresholds: { lines: 95 }
      }
    }
  }
})
