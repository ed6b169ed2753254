import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { fromConfigError, type SetupError } from "./errors.js"

const defaultUrl = "https://img-gen-prod.ai-arta.com/api/v1"

const apiUrl = Config.withDefault(Config.nonEmptyString("ARTA_API_URL"), defaultUrl)

const normalize = (url: string): string =>
  (URL.canParse(url.trim()) ? new URL(url.trim()).href : url).replace(/\/+$/, "")

// A URL may contain something secret, and the journal is readable for others.
const hashOf = (url: string): string => createHash("sha256").update(url).digest("hex").slice(0, 8)

/**
 * What the keys of a service's rows start with. One service's images must not stand in for those of another: those of
 * an emulator, for example, for real ones.
 */
export const keyPrefix = ({ emulator }: { readonly emulator: boolean }): Effect.Effect<string, SetupError> =>
  emulator
    ? Effect.succeed("emulated-")
    : Effect.mapBoth(apiUrl, {
        onFailure: fromConfigError,
        onSuccess: (url) => (normalize(url) === defaultUrl ? "" : `service-${hashOf(normalize(url))}-`)
      })
