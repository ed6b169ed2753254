import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundleProgram } from "../support/program.js"

let directory: string
let program: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("buildLayer", directory)
  // Another user runs it.
  await chmod(directory, 0o755)
})

afterAll(() => rm(directory, { recursive: true, force: true }))

const run = (bundle: string, env: Record<string, string>, options: object, user?: number) => {
  const { stdout, stderr } = spawnSync(process.execPath, [bundle, JSON.stringify({ apiKey: "k", ...options })], {
    env,
    cwd: directory,
    encoding: "utf8",
    uid: user
  })
  expect(stderr).toBe("")
  return stdout.trim().split("\n")
}

const start = (env: Record<string, string>, options: object, user?: number) => run(program, env, options, user)

const fixes = "HOME, XDG_CONFIG_HOME or ARTA_TOKEN_FILE"
const isRoot = process.getuid?.() === 0
const nobodyKnows = 3_141_592

describe.skipIf(process.platform !== "linux")("The home directory", { timeout: 60_000 }, () => {
  // fault: Store | HOME is empty or relative | `InvalidRequestError` that says what to set
  it.each(["", ".", "home"])("is unknown if HOME is %j", (HOME) => {
    const [built, tokenFile] = start({ HOME }, {})
    expect(built).toMatch(/^InvalidRequestError The option tokenFile/)
    expect(built).toContain(fixes)
    expect(tokenFile).toContain(fixes)
  })

  // fault: Store | HOME is not set and the user is unknown, as in a container | `InvalidRequestError` that says what to set
  it.runIf(isRoot)("is unknown for a user without one", () => {
    const [built, tokenFile] = start({}, {}, nobodyKnows)
    expect(built).toContain(fixes)
    expect(tokenFile).toContain(fixes)
  })

  it.runIf(isRoot)("is not needed with the tokenFile option", () => {
    expect(start({}, { tokenFile: join(directory, "session.json") }, nobodyKnows)[0]).toBe("built")
  })

  it.runIf(isRoot)("is not needed with ARTA_TOKEN_FILE", () => {
    expect(start({ ARTA_TOKEN_FILE: "/srv/session.json" }, {}, nobodyKnows)[1]).toBe("/srv/session.json")
  })

  it.runIf(isRoot)("is not needed with XDG_CONFIG_HOME", () => {
    const built = start({ XDG_CONFIG_HOME: join(directory, "config") }, {}, nobodyKnows)
    expect(built).toEqual(["built", join(directory, "config/effect-arta/credentials.json")])
  })

  it("contains the token file, unless XDG_CONFIG_HOME is an absolute path", () => {
    const inHome = "/home/me/.config/effect-arta/credentials.json"
    expect(start({ HOME: "/home/me" }, {})).toEqual(["built", inHome])
    expect(start({ HOME: "/home/me", XDG_CONFIG_HOME: "relative" }, {})).toEqual(["built", inHome])
    expect(start({ HOME: "/home/me", XDG_CONFIG_HOME: "" }, {})).toEqual(["built", inHome])
    expect(start({ HOME: "/home/me", XDG_CONFIG_HOME: "/etc/xdg" }, {})[1]).toBe(
      "/etc/xdg/effect-arta/credentials.json"
    )
  })
})

describe("A runtime without a complete undici", () => {
  // fault: Process | undici has no requests, as in Bun | `InvalidRequestError` that names `FetchHttpClient`
  it.each([{}, { proxy: "http://proxy.example:3128" }])("fails when the layer is built with %j", async (options) => {
    const undici = fileURLToPath(new URL("../support/programs/incompleteUndici.ts", import.meta.url))
    const bundle = await bundleProgram("buildLayer", await mkdtemp(join(directory, "bundle-")), { undici })
    const [built] = run(bundle, { HOME: "/home/me" }, options)
    expect(built).toMatch(/^InvalidRequestError .*Arta\.layer with FetchHttpClient\.layer/)
  })
})
