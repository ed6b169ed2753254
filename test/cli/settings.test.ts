import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { commandProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

/** A working directory and a configuration directory of their own. The session is in the latter. */
const world = Effect.gen(function* () {
  const { directory, emulator, env, fs } = yield* setUp
  const home = `${directory}/home`
  const config = `${home}/effect-arta/config.json`
  const work = `${directory}/work`
  yield* fs.makeDirectory(`${home}/effect-arta`, { recursive: true })
  yield* fs.makeDirectory(work)
  const { ARTA_API_KEY: apiKey, ARTA_API_URL: apiUrl, ARTA_SIGN_UP_URL: signUpUrl, ARTA_TOKEN_URL: tokenUrl } = env
  const run = (env: Readonly<Record<string, string | undefined>> = {}, ...args: ReadonlyArray<string>) =>
    commandProcess(args.length === 0 ? ["generate", "a fox", "--seed", "7"] : args, {
      cwd: work,
      env: { XDG_CONFIG_HOME: home, ...env }
    })
  return {
    emulator,
    fs,
    run,
    dotEnv: `${work}/.env`,
    urls: { ARTA_API_URL: apiUrl, ARTA_SIGN_UP_URL: signUpUrl, ARTA_TOKEN_URL: tokenUrl },
    inConfig: { apiKey, apiUrl, signUpUrl, tokenUrl },
    writeDotEnv: (text: string) => fs.writeFileString(`${work}/.env`, text),
    writeConfig: (content: unknown) =>
      fs.writeFileString(config, typeof content === "string" ? content : JSON.stringify(content))
  }
})

const secret = "a-secret-that-nobody-sees"

describe.concurrent("The settings of the command", { timeout }, () => {
  it.scopedLive("come from .env and from config.json, and the environment comes before both", () =>
    Effect.gen(function* () {
      const { emulator, inConfig, run, urls, writeConfig, writeDotEnv } = yield* world
      yield* writeDotEnv("\uFEFF# a comment\nexport ARTA_API_KEY='a-key-of-the-tests' # the key\nOTHER=1\n")
      expect((yield* run(urls)).code).toBe(0)

      yield* writeConfig({ ...inConfig, apiKey: "another-key" })
      const both = yield* run()
      expect(both.code, both.stderr).toBe(0)

      const submitted = (yield* emulator.counts).submit
      expect((yield* run({ ARTA_API_URL: "ftp://images.test" })).stderr).toMatch(/ARTA_API_URL/)
      yield* writeConfig({ ...inConfig, proxy: "not a proxy" })
      expect((yield* run()).stderr).toMatch(/ARTA_PROXY must be a URL/)
      expect((yield* emulator.counts).submit).toBe(submitted)
    }).pipe(onPort({ apiKeys: ["a-key-of-the-tests"] }))
  )

  // fault: Secrets | A .env in someone else's directory sets the URLs of the services | refused, nothing is sent
  it.scopedLive("never send a session where a .env says", () =>
    Effect.gen(function* () {
      const { emulator, run, urls, writeDotEnv } = yield* world
      const lines = Object.entries(urls).map(([name, value]) => `${name}=${value ?? ""}`)
      yield* writeDotEnv([`ARTA_API_KEY=${secret}`, ...lines].join("\n"))
      const { code, stderr } = yield* run()
      expect(stderr).toMatch(/^\.env sets ARTA_API_URL, but a \.env file may only set ARTA_API_KEY/m)
      expect(stderr).not.toContain(secret)
      expect(code).toBe(3)
      expect(yield* emulator.counts).toMatchObject({ signUp: 0, submit: 0 })
      // What the environment sets, the file cannot change.
      expect((yield* run(urls)).code).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("in a config.json that is damaged or has unknown keys fail with a sentence, without its values", () =>
    Effect.gen(function* () {
      const { emulator, inConfig, run, writeConfig } = yield* world
      const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
        [{ apiKee: secret }, /config\.json has unknown keys: "apiKee"\. It may have apiKey, apiUrl,/],
        [`{"apiKey": "${secret}",}`, /config\.json is not a JSON object\. Correct the file, or remove it\./],
        [{ apiKey: [secret] }, /config\.json has a value that is not a string/],
        [{ ...inConfig, apiUrl: "ftp://x" }, /^ARTA_API_URL: "ftp:\/\/x" is not/m]
      ]
      for (const [content, says] of cases) {
        yield* writeConfig(content)
        const { code, stderr } = yield* run()
        expect(stderr).toMatch(says)
        expect(stderr).not.toContain(secret)
        expect(code).toBe(3)
      }
      expect((yield* emulator.counts).submit).toBe(0)
      yield* writeConfig(inConfig)
      expect((yield* run({}, "account")).stdout).toMatch(/File +.*\/effect-arta\/credentials\.json/)
    }).pipe(onPort())
  )

  it.scopedLive.skipIf(process.platform !== "linux")(
    "come from the environment alone if the .env is a directory or cannot be read",
    () =>
      Effect.gen(function* () {
        const { dotEnv, fs, run, urls } = yield* world
        const withKey = { ...urls, ARTA_API_KEY: "k" }
        // As Python's virtual environments may be.
        yield* fs.makeDirectory(dotEnv)
        expect((yield* run(withKey)).code).toBe(0)
        expect((yield* run(urls)).stderr).toMatch(/^No API key is set\./)

        yield* fs.remove(dotEnv, { recursive: true })
        // An error of the disk.
        yield* fs.symlink("/proc/self/mem", dotEnv)
        expect((yield* run(withKey)).code).toBe(0)
        const { code, stderr } = yield* run(urls)
        expect(stderr).toBe("The disk reports an error: .env. Check the disk, then run the same command again.\n")
        expect(code).toBe(3)
      }).pipe(onPort())
  )

  it.scopedLive("decide for account too where the session is", () =>
    Effect.gen(function* () {
      const { inConfig, run, writeConfig } = yield* world
      yield* writeConfig({ ...inConfig, tokenFile: "/nonexistent/session.json" })
      expect((yield* run({}, "account")).stdout).toContain("/nonexistent/session.json")
    }).pipe(onPort())
  )

  it.scopedLive("are not read with --emulator", () =>
    Effect.gen(function* () {
      const { run, writeConfig, writeDotEnv } = yield* world
      yield* writeConfig("damaged")
      yield* writeDotEnv("ARTA_API_URL=http://127.0.0.1:9")
      expect((yield* run({}, "generate", "a fox", "--emulator")).code).toBe(0)
    }).pipe(onPort())
  )
})
