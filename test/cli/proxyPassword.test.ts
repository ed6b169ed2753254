import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { quote } from "shell-quote"
import { batch } from "../support/batchWorld.js"
import { command } from "../support/command.js"
import { onPort, timeout } from "../support/commandWorld.js"
import { proxyServer } from "../support/proxy.js"

const withPassword = (url: string): string => url.replace("//", "//an-account:p%40ssw0rd@")

describe.concurrent("The password of a proxy", { timeout }, () => {
  it.scopedLive("is in no hint, log or file, and the hints say where it belongs", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, file, fs, images } = yield* batch
      const { requests, url } = yield* proxyServer
      const proxied = (...args: ReadonlyArray<string>) =>
        command([...args, "-o", images, "--proxy", withPassword(url), "--log-level", "trace"], { env })
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      const failed = yield* proxied("batch", yield* file("p.txt", "a fox\n"))
      yield* emulator.inject(Fault.respond("status", 400))
      const lost = yield* proxied("generate", "a hare")
      expect([failed.code, lost.code]).toEqual([6, 4])
      expect(requests.length).toBeGreaterThan(0)
      const shown = quote(["--proxy", `http://USER:PASSWORD@${new URL(url).host}`])
      expect(failed.stderr).toMatch(/^To retry only these rows: .*/m)
      for (const { stderr } of [failed, lost]) expect(stderr).toContain(shown)

      const files = yield* fs.readDirectory(directory, { recursive: true })
      const texts = yield* Effect.forEach(files, (name) =>
        Effect.orElseSucceed(fs.readFileString(`${directory}/${name}`), () => "")
      )
      const everything = [...[failed, lost].flatMap(({ stderr, stdout }) => [stderr, stdout]), ...texts].join("\n")
      expect(everything).not.toMatch(/p(%40|@)ssw0rd|an-account/)
    }).pipe(onPort())
  )

  it.scopedLive.each(["ftp://an-account:p%40ssw0rd@proxy.example", "http://an-account:p%40ssw0rd@127.0.0.1:9"])(
    "is in no error if the proxy is unusable, as %s is",
    (url) =>
      Effect.gen(function* () {
        const { env, images } = yield* batch
        const byFlag = yield* command(["generate", "a fox", "-o", images, "--proxy", url, "--log-level", "trace"], {
          env
        })
        const byVariable = yield* command(["generate", "a fox", "-o", images, "--log-level", "trace"], {
          env: { ...env, ARTA_PROXY: url }
        })
        for (const { code, stderr, stdout } of [byFlag, byVariable]) {
          expect(code).not.toBe(0)
          expect(stderr + stdout).not.toMatch(/p(%40|@)ssw0rd|an-account/)
        }
      }).pipe(onPort())
  )
})
