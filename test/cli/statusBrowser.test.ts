import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import type { BrowserContextOptions, Page } from "playwright-core"
import { expect, it } from "vitest"
import { batch as setUpBatch } from "../support/batchWorld.js"
import { started } from "../support/command.js"
import { onPort } from "../support/commandWorld.js"
import { describeInBrowser, opened, violations } from "../support/galleryPage.js"

const poll = <A>(read: () => Promise<A>, expected: unknown) =>
  Effect.promise(() => expect.poll(read, { timeout: 20_000 }).toEqual(expected))

const headings = (page: Page) => page.getByRole("article").getByRole("heading").allTextContents()

/** The page is closed before the server ends. */
const openedIn = (url: string, options: BrowserContextOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => opened(options, url)),
    (page) => Effect.promise(() => page.close())
  )

/** The number of rows in each state of the first batch. */
const counts = (page: Page) => page.locator("article").first().locator("dl > div").allTextContents()

const failedRows = async (page: Page) => (await page.getByRole("rowheader").allTextContents()).sort()

const runners = (page: Page) => page.getByRole("region", { name: "Runners" }).getByRole("listitem").count()

describeInBrowser("The page of status --serve in a browser", () => {
  it("shows runners, batches and failures, and follows them without a reload", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run } = yield* setUpBatch
      yield* emulator.inject(Fault.respond("submit", 400))
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      yield* run(yield* file("first batch.txt", "a fox\nan owl\na hare\n"), "--database", "-c", "1")
      const database = ["--database", `sqlite:${images}/effect-arta.db`]
      const { wrote } = yield* started(["status", "--serve", ...database], { env })
      const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(yield* wrote(/http:.*\n/)) ?? []

      const page = yield* openedIn(url)
      yield* poll(() => headings(page), [expect.stringMatching(/^first-batch-/)])
      yield* poll(() => counts(page), ["saved1", "unknown1", "failed1"])
      yield* Effect.promise(() => page.getByText("Recent failures").click())
      yield* poll(() => failedRows(page), ["1", "2"])

      yield* run(yield* file("second.txt", "a heron\n"), "--database")
      const runner = yield* started(["runner", ...database], { env })
      yield* poll(() => headings(page), [expect.stringMatching(/^second-/), expect.stringMatching(/^first-batch-/)])
      yield* poll(() => counts(page), ["saved1"])
      yield* poll(() => runners(page), 1)
      // What a user has opened stays open.
      expect(yield* Effect.promise(() => page.locator("details").getAttribute("open"))).not.toBeNull()
      yield* runner.interrupt
      yield* poll(() => runners(page), 0)

      for (const options of [{ colorScheme: "dark" as const }, { viewport: { width: 360, height: 740 } }, {}]) {
        const other = yield* openedIn(url, options)
        expect(yield* Effect.promise(() => violations(other))).toEqual([])
        const overflow = () => other.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect(yield* Effect.promise(overflow)).toBeLessThanOrEqual(0)
      }
    }).pipe(onPort(), Effect.scoped, Effect.runPromise))
})
