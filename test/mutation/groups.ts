import { readdirSync } from "node:fs"

/** Modules and the tests that run them. A path names a file, or a directory if it ends with a slash. */
interface Group {
  /** In `src`. */
  readonly modules: ReadonlyArray<string>
  /** In `test`. The configuration of Vitest leaves out most of those that start processes. */
  readonly tests: ReadonlyArray<string>
}

/** A module of `src`, what `src/internal` has for it, and the tests that mirror it, with further ones. */
const library = (name: string, internal: ReadonlyArray<string> = [], tests: ReadonlyArray<string> = []): Group => ({
  modules: [`${name}.ts`, ...internal.map((path) => `internal/${path}`)],
  tests: [`${name}.test.ts`, `${name}/`, ...tests]
})

/** Each module and each directory of `src`, with the tests that mirror it. */
const mirrored = Object.fromEntries(
  readdirSync("src", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith(".ts"))
    .map((entry): [string, Group] => {
      const name = entry.name.replace(/\.ts$/, "")
      return [name, entry.isDirectory() ? { modules: [`${name}/`], tests: [`${name}/`] } : library(name)]
    })
)

/** Stryker first runs the tests of a group once, so a group has few of them. The longest path to a module decides. */
export const groups: Readonly<Record<string, Group>> = {
  ...mirrored,
  Arta: library("Arta", ["generation/", "metrics.ts", "clock.ts"], ["GenerateRequest.test.ts"]),
  ArtaApi: library(
    "ArtaApi",
    ["artaApi/"],
    ["Arta/concurrency.test.ts", "Arta/rateLimits.test.ts", "Arta/serviceFaults.test.ts", "Arta/telemetry.test.ts"]
  ),
  ArtaClient: library("ArtaClient", ["promise/", "asyncIterator.ts"], ["Arta/toAsyncIterable.test.ts"]),
  ArtaError: library(
    "ArtaError",
    ["errorMessages.ts", "explanation.ts", "serviceText.ts", "invalidOption.ts", "timeout.ts"],
    [
      "ArtaApi/serviceText.test.ts",
      "ArtaApi/ArtaApi.test.ts",
      "Arta/Arta.test.ts",
      "Arta/timeout.test.ts",
      "Auth/identityToolkit.test.ts",
      "GenerateRequest.test.ts"
    ]
  ),
  AtomicFile: library("AtomicFile", [], ["TokenStore/diskFailures.test.ts", "TokenStore/sharedFile.test.ts"]),
  Auth: library("Auth", [
    "identity/",
    "config.ts",
    "cooldown.ts",
    "serviceUrl.ts",
    "signUpResponse.ts",
    "sameSession.ts"
  ]),
  DurationStore: library("DurationStore", ["durationFile/", "durationHistory.ts"]),
  FileLock: library("FileLock", [], ["TokenStore/lock.test.ts", "cli/batch/lock.test.ts"]),
  Generation: library("Generation", [], ["Arta/composition.test.ts", "robustness/decoders.test.ts"]),
  ImageFile: {
    modules: ["ImageFile.ts", "internal/download/"],
    tests: [
      "ImageFile/ImageFile.test.ts",
      "ImageFile/compression.test.ts",
      "ImageFile/load.test.ts",
      "ImageFile/metadata.test.ts",
      "ImageFile/names.test.ts",
      "ImageFile/url.test.ts",
      "ImageFile/waiting.test.ts",
      "ImageFile/wholeImages.test.ts",
      "robustness/bodies.test.ts",
      "robustness/timeLimits.test.ts"
    ]
  },
  batch: {
    modules: ["batch/"],
    tests: [
      "batch/",
      "cli/batch/connectionFailures.test.ts",
      "cli/batch/damagedDatabase.test.ts",
      "cli/batch/databaseServers.test.ts"
    ]
  },
  imageMetadata: {
    modules: ["internal/imageMetadata/"],
    tests: ["ImageFile/metadata.test.ts", "ImageFile/metadataFormats.test.ts", "ImageFile/metadataUnchanged.test.ts"]
  },
  Polling: library("Polling", ["adaptivePolling/", "durationRecorder.ts", "weaklyKeyed.ts"]),
  TokenStore: {
    modules: ["TokenStore.ts", "internal/tokenStore/", "internal/platformError.ts", "internal/fileAccess.ts"],
    tests: [
      "TokenStore/TokenStore.test.ts",
      "TokenStore/damagedFile.test.ts",
      "TokenStore/diskFailures.test.ts",
      "TokenStore/fileSystems.test.ts",
      "TokenStore/lock.test.ts",
      "TokenStore/mountedFile.test.ts",
      "TokenStore/specialFile.test.ts"
    ]
  },
  internal: {
    modules: ["internal/"],
    tests: [
      "ArtaApi/",
      "Arta/ownApi.test.ts",
      "Arta/ownLimiter.test.ts",
      "Arta/serviceFaults.test.ts",
      "Arta/telemetry.test.ts",
      "Arta/timeout.test.ts",
      "robustness/bodies.test.ts",
      "robustness/secrets.test.ts",
      "robustness/unsent.test.ts",
      "Auth/config.test.ts"
    ]
  },
  node: {
    modules: ["node/", "internal/node/"],
    tests: [
      "node/",
      "Auth/serviceUrls.test.ts",
      "robustness/bodies.test.ts",
      "robustness/sockets.test.ts",
      "robustness/timeLimits.test.ts",
      "robustness/unsent.test.ts",
      "robustness/unusualResponses.test.ts"
    ]
  },
  server: {
    modules: ["server/"],
    tests: ["server/", "cli/serve.test.ts", "cli/serveOptions.test.ts", "cli/servePage.test.ts"]
  },
  "cli/batch": { modules: ["cli/command/batch/"], tests: ["cli/batch/", "cli/terminal.test.ts"] },
  "cli/promptFile": {
    modules: ["cli/command/batch/promptFile/"],
    tests: [
      "cli/batch/promptFiles.test.ts",
      "cli/batch/promptKinds.test.ts",
      "cli/batch/promptProblems.test.ts",
      "cli/batch/promptValues.test.ts",
      "cli/batch/standardInput.test.ts"
    ]
  },
  "cli/gallery": { modules: ["cli/command/gallery/"], tests: ["cli/gallery/"] },
  "cli/commandLine": {
    modules: ["cli/commandLine/", "cli/commands.ts"],
    tests: ["cli/commandLine/", "cli/otherCommands.test.ts"]
  },
  "cli/journal": {
    modules: [
      "cli/shared/journal.ts",
      "cli/shared/journalEntry.ts",
      "cli/shared/journalFile.ts",
      "cli/shared/journalNames.ts",
      "cli/shared/journalRecords.ts",
      "cli/shared/submissionJournal.ts"
    ],
    tests: [
      "cli/shared/",
      "cli/batch/again.test.ts",
      "cli/batch/batch.test.ts",
      "cli/batch/failures.test.ts",
      "cli/batch/lock.test.ts",
      "cli/batch/refused.test.ts",
      "cli/batch/replacedJournal.test.ts",
      "cli/batch/runner.test.ts",
      "cli/batch/services.test.ts",
      "cli/batch/stopped.test.ts",
      "cli/gallery/gallery.test.ts",
      "cli/generate.test.ts",
      "cli/mcp/equalCalls.test.ts",
      "cli/missingImages.test.ts",
      "cli/names.test.ts"
    ]
  },
  "cli/mcp": { modules: ["cli/command/mcp/"], tests: ["cli/mcp/"] },
  "cli/serve": {
    modules: ["cli/command/serve/"],
    tests: ["cli/serve.test.ts", "cli/serveOptions.test.ts", "cli/servePage.test.ts"]
  },
  "cli/database": {
    modules: [
      "cli/command/status/",
      "cli/command/runner.ts",
      "cli/command/retry.ts",
      "cli/shared/database/",
      "cli/shared/logfmt.ts"
    ],
    tests: [
      "cli/batch/connectionFailures.test.ts",
      "cli/batch/damagedDatabase.test.ts",
      "cli/batch/database.test.ts",
      "cli/batch/databaseServers.test.ts",
      "cli/batch/databaseUrl.test.ts",
      "cli/batch/runner.test.ts",
      "cli/batch/sharedDatabase.test.ts",
      "cli/status.test.ts",
      "cli/statusText.test.ts"
    ]
  },
  "cli/shared": {
    modules: ["cli/shared/"],
    tests: [
      "cli/batch/failures.test.ts",
      "cli/batch/services.test.ts",
      "cli/exitCodes.test.ts",
      "cli/gallery/gallery.test.ts",
      "cli/gallery/serve.test.ts",
      "cli/generate.test.ts",
      "cli/missingImages.test.ts",
      "cli/names.test.ts",
      "cli/otherCommands.test.ts",
      "cli/output.test.ts",
      "cli/platformErrors.test.ts",
      "cli/proxyPassword.test.ts",
      "cli/serve.test.ts",
      "cli/settings.test.ts",
      "cli/status.test.ts",
      "cli/terminal.test.ts"
    ]
  },
  cli: {
    modules: ["cli/"],
    tests: [
      "cli/exitCodes.test.ts",
      "cli/generate.test.ts",
      "cli/metadata.test.ts",
      "cli/missingImages.test.ts",
      "cli/names.test.ts",
      "cli/otherCommands.test.ts",
      "cli/output.test.ts",
      "cli/platformErrors.test.ts",
      "cli/terminal.test.ts"
    ]
  }
}
