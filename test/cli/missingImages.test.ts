import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Line } from "../../src/cli/shared/jsonOutput.js"
import { command, decodeLines, lines } from "../support/command.js"
import { timeout } from "../support/commandWorld.js"
import { faultServer, respond } from "../support/faultServer.js"
import { png } from "../support/imageFiles.js"

/** A service that delivers one image, and an entry without a URL. */
const setUp = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const { url } = yield* faultServer({
    "/signUp": [respond(200, { localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" })],
    "/text2image/rec/status": [respond(200, { status: "DONE", response: [{ url: "/image" }, { url: null }] })],
    "/text2image": [respond(200, { record_id: "rec" })],
    "/image": [respond(200, png)]
  })
  const env = {
    ARTA_API_KEY: "k",
    ARTA_API_URL: url,
    ARTA_SIGN_UP_URL: `${url}/signUp`,
    ARTA_TOKEN_URL: `${url}/token`,
    ARTA_TOKEN_FILE: `${directory}/credentials.json`
  }
  return { directory, env, fs, images: `${directory}/images` }
})

describe.concurrent("The command, when images do not come", { timeout }, () => {
  // fault: Process | The service delivers fewer images than requested | the others are saved, and exit code 6
  it.scopedLive("saves the others, says how many are missing, and exits with 6", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { code, stderr, stdout } = yield* command(["generate", "a fox", "-n", "2", "-o", images], { env })
      expect(lines(stdout)).toEqual([expect.stringMatching(/a-fox-\d+-0\.png$/)])
      expect(stderr).toContain("1 of 2 images did not come.")
      expect(code).toBe(6)
      const watched = yield* command(["watch", "rec", "-o", images], { env })
      expect(watched).toMatchObject({
        code: 6,
        stderr: expect.stringContaining("1 of 2 images did not come.") as string
      })
      const notSaved = yield* command(["generate", "a fox", "-n", "4", "--no-save"], { env })
      expect(notSaved).toMatchObject({
        code: 6,
        stderr: expect.stringContaining("3 of 4 images did not come.") as string
      })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("says so as JSON", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { code, stdout } = yield* command(["generate", "a fox", "-n", "4", "--json", "-o", images], { env })
      const printed = yield* decodeLines(Line, stdout)
      expect(printed.slice(-3)).toMatchObject([
        { _tag: "Completed", missing: 3 },
        { _tag: "Saved", recordId: "rec" },
        { _tag: "Failed", error: "MissingImages", message: "3 of 4 images did not come.", recordId: "rec" }
      ])
      expect(code).toBe(6)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("names the row of a batch, which is not generated again", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      yield* fs.writeFileString(`${directory}/rows.jsonl`, '{"prompt":"a fox","n":2}\n')
      const args = ["batch", `${directory}/rows.jsonl`, "-o", images]
      const { code, stderr } = yield* command(args, { env })
      expect(stderr).toContain("1 of 1 saved")
      expect(stderr).toContain('Row 1, "a fox": 1 of 2 images did not come.')
      expect(stderr).not.toContain("--retry-failed")
      expect(code).toBe(6)
      expect((yield* command([...args, "--json"], { env })).code).toBe(0)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
