import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { NodeArta } from "effect-arta/node"
import { homedir } from "node:os"
import { join } from "node:path"
import { withVariables } from "../support/withVariables.js"

/** Claims to run on another platform. */
const on = (platform: NodeJS.Platform) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.getOwnPropertyDescriptor(process, "platform")
      Object.defineProperty(process, "platform", { ...before, value: platform })
      return before ?? {}
    }),
    (before) => Effect.sync(() => Object.defineProperty(process, "platform", before))
  )

const tokenFile = (variables: Readonly<Record<string, string | undefined>> = {}) =>
  withVariables(
    { XDG_CONFIG_HOME: undefined, APPDATA: undefined, ...variables },
    Effect.withConfigProvider(NodeArta.tokenFile, ConfigProvider.fromMap(new Map()))
  )

// Not concurrent: the platform and the environment belong to the process.
describe.skipIf(process.platform === "win32")("The default of the token file", () => {
  const inHome = (...path: ReadonlyArray<string>) => join(homedir(), ...path, "credentials.json")

  it.scoped("is in the preferences on macOS", () =>
    Effect.gen(function* () {
      yield* on("darwin")
      expect(yield* tokenFile({ XDG_CONFIG_HOME: "/etc/xdg" })).toBe(inHome("Library", "Preferences", "effect-arta"))
    })
  )

  it.scoped("is in the roaming data of applications on Windows", () =>
    Effect.gen(function* () {
      yield* on("win32")
      expect(yield* tokenFile({ APPDATA: "/roaming" })).toBe("/roaming/effect-arta/Config/credentials.json")
      expect(yield* tokenFile()).toBe(inHome("AppData", "Roaming", "effect-arta", "Config"))
    })
  )

  it.scoped("is in the configuration directory elsewhere", () =>
    Effect.gen(function* () {
      yield* on("linux")
      expect(yield* tokenFile({ XDG_CONFIG_HOME: "/etc/xdg" })).toBe("/etc/xdg/effect-arta/credentials.json")
      expect(yield* tokenFile()).toBe(inHome(".config", "effect-arta"))
    })
  )
})
