import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { build } from "esbuild"
import { isSkipped, launch, whySkipped } from "../support/chromium.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"

const program = (urls: object) => `
  import { ArtaClient, Polling } from "effect-arta"
  const client = ArtaClient.make({ apiKey: "k", ...${JSON.stringify(urls)} })
  const show = (text) => { document.title = text }
  client.run({ prompt: "a cat" }, { polling: Polling.fixed("50 millis") }).then(
    ({ images }) => fetch(images[0].url).then((response) => show(response.headers.get("content-type"))),
    (error) => show(String(error))
  )
`

const bundle = async (contents: string) => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    platform: "browser",
    alias: { "effect-arta": "./src/index.ts" },
    write: false
  })
  return outputFiles[0]?.text ?? ""
}

const browser = Effect.acquireRelease(Effect.promise(launch), (browser) => Effect.promise(() => browser.close()))

const title = `A page of another origin generates an image on the emulator${isSkipped ? ` (${whySkipped})` : ""}`

// A browser takes its time on a busy machine.
it.scopedLive.skipIf(isSkipped)(
  title,
  () =>
    Effect.gen(function* () {
      const script = yield* Effect.flatMap(ArtaEmulator.urls, (urls) => Effect.promise(() => bundle(program(urls))))
      const page = yield* Effect.flatMap(browser, (browser) => Effect.promise(() => browser.newPage()))
      const { port } = new URL((yield* ArtaEmulator.urls).apiUrl)
      yield* Effect.promise(async () => {
        // To a browser, this is another origin than 127.0.0.1.
        await page.goto(`http://localhost:${port}/`)
        await page.setContent(`<script type="module">${script.replaceAll("</script", "<\\/script")}</script>`)
        await page.waitForFunction(() => document.title !== "")
        expect(await page.title()).toBe("image/png")
      })
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.counts).toMatchObject({ signUp: 1, submit: 2, image: 1 })
    }).pipe(
      Effect.provide(
        emulatorOnPort({ faults: [Fault.respond("submit", 429, { body: {}, headers: { "retry-after": "1" } })] })
      )
    ),
  60_000
)
