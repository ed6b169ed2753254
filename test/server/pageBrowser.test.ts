import axe from "axe-core"
import { ManagedRuntime } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { readFile } from "node:fs/promises"
import { afterEach, beforeAll, describe, expect, it } from "vitest"
import { isSkipped, launch, whySkipped } from "../support/chromium.js"
import { originOfServer, serverKey, serverWithPage } from "../support/serverPage.js"

const problems: Array<string> = []
let browser: Browser

const start = async (emulator: ArtaEmulator.Options = {}, options?: Parameters<typeof serverWithPage>[1]) => {
  const runtime = ManagedRuntime.make(serverWithPage({ queueTime: 0, drawTime: 0, ...emulator }, options))
  const service = await runtime.runPromise(ArtaEmulator.ArtaEmulator)
  return {
    origin: await runtime.runPromise(originOfServer),
    counts: () => runtime.runPromise(service.counts),
    inject: (fault: Fault.Fault) => runtime.runPromise(service.inject(fault)),
    stop: () => runtime.dispose()
  }
}

/** Opens a page. Every message of its console and every request to another server fails the test. */
const opened = async (url: string, options: BrowserContextOptions = {}): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, ...options })
  page.setDefaultTimeout(15_000)
  page.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => problems.push(String(error)))
  page.on("request", (request) => {
    if (!/^(blob:|data:)/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin)
      problems.push(`asked for ${request.url()}`)
  })
  await page.goto(url)
  return page
}

const withKey = (origin: string) => `${origin}/#key=${serverKey}`

const generate = async (page: Page, prompt = "a lighthouse at dawn", n = 1) => {
  await page.getByLabel("Prompt", { exact: true }).fill(prompt)
  await page.getByLabel("Images", { exact: true }).selectOption(String(n))
  await page.getByRole("button", { name: "Generate", exact: true }).click()
}

const cards = (page: Page) => page.locator(".card")
const images = (page: Page) => page.locator(".card img")
const naturalWidths = (page: Page) =>
  images(page).evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth))

const violations = async (page: Page) => {
  await page.evaluate(axe.source)
  const result = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
}

// A browser takes its time on a busy machine.
describe.skipIf(isSkipped)(
  `The page of a server in a browser${isSkipped ? ` (${whySkipped})` : ""}`,
  { timeout: 60_000 },
  () => {
    const stops: Array<() => Promise<void>> = []
    const started = async (...args: Parameters<typeof start>) => {
      const world = await start(...args)
      stops.push(world.stop)
      return world
    }

    beforeAll(async () => {
      browser = await launch()
      return () => browser.close()
    }, 60_000)

    afterEach(async () => {
      await Promise.all(browser.contexts().map((context) => context.close()))
      await Promise.all(stops.splice(0).map((stop) => stop()))
      expect(problems.splice(0)).toEqual([])
    })

    it("generates images, and shows their progress, their parameters and each of them", async () => {
      const { counts, origin } = await started({ queueTime: "2 seconds", drawTime: "2 seconds" })
      const page = await opened(withKey(origin))
      await generate(page, "a lighthouse at dawn", 2)
      await cards(page).getByText("In the queue").waitFor()
      await cards(page).getByText("Generating").waitFor()
      await expect.poll(() => naturalWidths(page), { timeout: 15_000 }).toEqual([512, 512])
      expect(await cards(page).textContent()).toMatch(/a lighthouse at dawn.*Flux.*Seed \d+.*1:1/)
      expect(await page.getByText("2 images", { exact: true }).count()).toBe(1)
      await page.locator(".thumbnail").nth(1).click()
      const view = page.getByRole("dialog", { name: "Full-size view" })
      expect(await view.textContent()).toMatch(/2 of 2.*Steps30.*Record id/s)
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        view.getByRole("link", { name: "Download" }).click()
      ])
      expect(download.suggestedFilename()).toMatch(/^a-lighthouse-at-dawn-\d+-1\.png$/)
      expect((await readFile(await download.path())).subarray(1, 4).toString()).toBe("PNG")
      expect(await counts()).toMatchObject({ submit: 1 })
    })

    // fault: Process | The page of a server is reloaded during a generation | it finds the generation again, one submission
    it("finds a generation again after a reload in the middle", async () => {
      const { counts, origin } = await started({ queueTime: "1 second", drawTime: "5 seconds" })
      const page = await opened(withKey(origin))
      await generate(page)
      await cards(page).getByText("Generating").waitFor()
      await page.reload()
      await cards(page).getByText("Generating").waitFor()
      await expect.poll(() => naturalWidths(page), { timeout: 20_000 }).toEqual([512])
      await page.reload()
      await expect.poll(() => naturalWidths(page), { timeout: 20_000 }).toEqual([512])
      expect(await cards(page).count()).toBe(1)
      expect(await counts()).toMatchObject({ submit: 1 })
    })

    // fault: Process | The page of a server is reloaded before a submission is accepted | it finds the generation, one submission
    it("finds a generation again after a reload before the service accepted it", async () => {
      const { counts, inject, origin } = await started()
      await inject(Fault.respond("submit", 429, { headers: { "retry-after": "3" } }))
      const page = await opened(withKey(origin))
      await generate(page)
      await expect.poll(async () => (await counts()).submit, { timeout: 10_000 }).toBe(1)
      await page.reload()
      await expect.poll(() => naturalWidths(page), { timeout: 20_000 }).toEqual([512])
      expect(await counts()).toMatchObject({ submit: 2 })
    })

    // fault: Process | The page of a server loses the response to its request | it finds the generation, and sends nothing again
    it("finds a generation whose response was lost, and sends nothing again", async () => {
      const { counts, origin } = await started()
      const page = await opened(withKey(origin))
      const posts: Array<string> = []
      await page.route("**/v1/images/generations", async (route) => {
        if (route.request().method() !== "POST") return route.continue()
        posts.push(route.request().url())
        await route.fetch()
        return route.abort("connectionreset")
      })
      await generate(page)
      await expect.poll(() => naturalWidths(page), { timeout: 20_000 }).toEqual([512])
      expect(posts).toHaveLength(1)
      expect(await counts()).toMatchObject({ submit: 1 })
      expect(problems.splice(0).filter((problem) => !problem.includes("ERR_CONNECTION_RESET"))).toEqual([])
    })

    // fault: Process | The page of a server does not know whether its request arrived | it says so, and sends nothing again by itself
    it("says that the outcome is unknown, and sends a generation again only if the user wants it", async () => {
      const { counts, origin } = await started()
      const page = await opened(withKey(origin))
      await page.clock.install()
      const posts: Array<unknown> = []
      await page.route("**/v1/images/generations", (route) => {
        if (route.request().method() !== "POST") return route.continue()
        posts.push(route.request().postDataJSON())
        return posts.length === 1 ? route.abort("connectionreset") : route.continue()
      })
      await generate(page)
      const sendAgain = cards(page).getByRole("button", { name: /^Send again/ })
      const isUnknown = async () => {
        await page.clock.fastForward("00:02")
        return sendAgain.isVisible()
      }
      await expect.poll(isUnknown, { timeout: 30_000 }).toBe(true)
      await page.reload()
      await cards(page).getByText("It may or may not have been accepted, and paid for.").waitFor()
      await cards(page)
        .getByRole("button", { name: /^Look again/ })
        .click()
      await cards(page).getByText("Looking for it on the server").waitFor()
      await expect.poll(isUnknown, { timeout: 30_000 }).toBe(true)
      expect(posts).toHaveLength(1)
      expect(await counts()).toMatchObject({ submit: 0 })
      await sendAgain.click()
      await expect.poll(() => naturalWidths(page), { timeout: 20_000 }).toEqual([512])
      expect(posts).toEqual([posts[0], posts[0]])
      expect(await cards(page).count()).toBe(1)
      expect(await counts()).toMatchObject({ submit: 1 })
      expect(problems.splice(0).filter((problem) => !problem.includes("ERR_CONNECTION_RESET"))).toEqual([])
    })

    it("says why a generation failed, and starts it again with a new seed", async () => {
      const { counts, origin } = await started({ faults: [Fault.failGeneration("FAILED", "NSFW content")] })
      const page = await opened(withKey(origin))
      await page.getByLabel("Seed", { exact: true }).fill("7")
      await generate(page)
      await cards(page).getByText("NSFW content").waitFor()
      await cards(page)
        .getByRole("button", { name: /^Again/ })
        .click()
      await expect.poll(() => naturalWidths(page)).toEqual([512])
      const seeds = await cards(page).locator("dl").allTextContents()
      expect(seeds.filter((text) => /Seed 7(?!\d)/.test(text))).toHaveLength(1)
      expect(await counts()).toMatchObject({ submit: 2 })
    })

    it("fills the form with the parameters of a generation", async () => {
      const { origin } = await started()
      const page = await opened(withKey(origin))
      await page.getByLabel("Model", { exact: true }).selectOption("sdxl-1.0")
      await page.locator('[name=ratio][value="16:9"]').check({ force: true })
      await page.getByLabel("Seed", { exact: true }).fill("4711")
      await generate(page, "a fox", 2)
      await expect.poll(() => naturalWidths(page)).toEqual([512, 512])
      await page.getByLabel("Prompt", { exact: true }).fill("")
      await page.getByLabel("Seed", { exact: true }).fill("")
      await cards(page).getByRole("button", { name: /^Vary/ }).click()
      expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("a fox")
      expect(await page.getByLabel("Seed", { exact: true }).inputValue()).toBe("4711")
      expect(await page.getByLabel("Model", { exact: true }).inputValue()).toBe("sdxl-1.0")
      expect(await page.getByLabel("Images", { exact: true }).inputValue()).toBe("2")
      expect(await page.locator("[name=ratio]:checked").inputValue()).toBe("16:9")
    })

    it("says which option the service refuses", async () => {
      const { counts, origin } = await started()
      const page = await opened(withKey(origin))
      await page.getByText("More options").click()
      // The field allows up to 100.
      await page.getByLabel("Steps", { exact: true }).evaluate((field) => {
        field.removeAttribute("max")
      })
      await page.getByLabel("Steps", { exact: true }).fill("500")
      await generate(page)
      await cards(page).getByText("steps must be").waitFor()
      expect(await counts()).toMatchObject({ submit: 0 })
      expect(problems.splice(0).filter((problem) => !problem.includes("400 (Bad Request)"))).toEqual([])
    })

    it("asks for the key, and keeps it out of the address", async () => {
      const { origin } = await started()
      const page = await opened(origin)
      await page.getByLabel("Key", { exact: true }).fill("wrong")
      await page.getByRole("button", { name: "Continue" }).click()
      await page.getByText("This key is wrong.").waitFor()
      await page.getByLabel("Key", { exact: true }).fill(serverKey)
      await page.getByRole("button", { name: "Continue" }).click()
      await generate(page)
      await expect.poll(() => naturalWidths(page)).toEqual([512])
      const linked = await opened(withKey(origin))
      await expect.poll(() => linked.getByLabel("Model", { exact: true }).locator("option").count()).toBeGreaterThan(50)
      expect(linked.url()).toBe(`${origin}/`)
      expect(await linked.content()).not.toContain(serverKey)
      expect(await linked.evaluate(() => JSON.stringify(localStorage))).not.toContain(serverKey)
      expect(problems.splice(0).filter((problem) => !problem.includes("401 (Unauthorized)"))).toEqual([])
    })

    it("works with the keyboard alone", async () => {
      const { origin } = await started()
      const page = await opened(withKey(origin))
      await page.keyboard.press("Tab")
      await page.keyboard.type("a fox")
      await page.keyboard.press("Control+Enter")
      await expect.poll(() => naturalWidths(page)).toEqual([512])
      await page.locator(".thumbnail").focus()
      await page.keyboard.press("Enter")
      const view = page.getByRole("dialog", { name: "Full-size view" })
      await view.waitFor()
      await page.keyboard.press("Escape")
      await view.waitFor({ state: "hidden" })
      expect(await page.locator(".thumbnail").evaluate((link) => link === document.activeElement)).toBe(true)
    })

    it("offers the image as a file where it is dragged", async () => {
      const { origin } = await started()
      const page = await opened(withKey(origin))
      await generate(page, "a fox")
      await expect.poll(() => naturalWidths(page)).toEqual([512])
      const dragged = await page.locator(".thumbnail").evaluate((link) => {
        const dataTransfer = new DataTransfer()
        link.dispatchEvent(new DragEvent("dragstart", { dataTransfer, bubbles: true }))
        return dataTransfer.getData("DownloadURL")
      })
      expect(dragged).toMatch(/^image\/png:a-fox-\d+-0\.png:blob:http/)
    })

    it("shows a prompt as text, whatever it contains", async () => {
      const { origin } = await started()
      const page = await opened(withKey(origin))
      const hostile = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`
      await generate(page, hostile)
      await expect.poll(() => naturalWidths(page)).toEqual([512])
      await page.locator(".thumbnail").click()
      expect(await page.getByText(hostile).count()).toBeGreaterThan(0)
      expect(await page.evaluate(() => "hacked" in window)).toBe(false)
    })

    it.each([
      ["in light", { colorScheme: "light" }],
      ["in dark", { colorScheme: "dark" }],
      ["on a phone", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }]
    ] as const)("is accessible %s, and nothing is wider than the screen", async (_, options) => {
      const { origin } = await started({ faults: [Fault.failGeneration("FAILED", "NSFW content")] })
      const page = await opened(withKey(origin), options)
      expect(await violations(page)).toEqual([])
      await generate(page, "a fox")
      await cards(page).getByText("NSFW content").waitFor()
      await generate(page, "an extraordinarily-long-word".repeat(8), 4)
      await expect.poll(() => naturalWidths(page)).toHaveLength(4)
      expect(await violations(page)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
      await page.locator(".thumbnail").first().click()
      expect(await violations(page)).toEqual([])
    })
  }
)
