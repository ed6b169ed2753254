import { bundle } from "./bundle.js"

/** What our own code consists of. A path ends with a slash if it names a directory. The longest path decides. */
const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
  "options, models and events": [
    "GenerateRequest.ts",
    "ImageModel.ts",
    "Generation.ts",
    "internal/generation/parseOptions.ts",
    "internal/timeout.ts",
    "internal/invalidOption.ts"
  ],
  "errors and what they say": [
    "ArtaError.ts",
    "internal/diagnosis.ts",
    "internal/errorMessages.ts",
    "internal/explanation.ts",
    "internal/serviceText.ts"
  ],
  "sign-up, refresh and session": [
    "Auth.ts",
    "Credentials.ts",
    "TokenStore.ts",
    "internal/identity/",
    "internal/sameSession.ts",
    "internal/signUpResponse.ts"
  ],
  "requests and responses": ["internal/", "internal/artaApi/", "ArtaApi.ts"],
  "the rate limiter": [
    "internal/artaApi/learnedRate.ts",
    "internal/artaApi/rateLimiter.ts",
    "internal/artaApi/submitLimiter.ts",
    "internal/artaApi/turns.ts",
    "internal/cooldown.ts"
  ],
  "adaptive polling": [
    "Polling.ts",
    "internal/adaptivePolling/",
    "internal/durationHistory.ts",
    "internal/durationRecorder.ts",
    "internal/weaklyKeyed.ts"
  ],
  "generations, from submission to images": ["Arta.ts", "internal/asyncIterator.ts", "internal/generation/"],
  "time limits": ["internal/clock.ts", "internal/generation/deadline.ts", "internal/timeLimit.ts", "internal/timer.ts"],
  "metrics and spans": [
    "internal/fiberContext.ts",
    "internal/generation/telemetry.ts",
    "internal/metrics.ts",
    "internal/requestSpan.ts"
  ],
  "layers and configuration": ["internal/config.ts", "internal/layers.ts"]
}

const partOf = (file: string): string =>
  Object.entries(parts)
    .flatMap(([part, paths]) => paths.map((path) => ({ part, path })))
    .filter(({ path }) => file === path || (path.endsWith("/") && file.startsWith(path)))
    .reduce((longest, other) => (other.path.length > longest.path.length ? other : longest), {
      part: "other",
      path: ""
    }).part

/** The minified bytes of each part of our own code, the largest first. */
export const weigh = async (entry: string): Promise<ReadonlyArray<readonly [part: string, bytes: number]>> => {
  const { metafile } = await bundle(entry, { minify: true })
  const weights = new Map<string, number>()
  for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      if (!input.startsWith("src/") || bytesInOutput === 0) continue
      const part = partOf(input.slice("src/".length))
      weights.set(part, (weights.get(part) ?? 0) + bytesInOutput)
    }
  }
  return [...weights].sort(([, one], [, other]) => other - one)
}
