import { pathToFileURL } from "node:url"
import type { Browser } from "playwright-core"

/** Times in milliseconds. */
export interface PageTimes {
  /** From the start of the navigation to the first paint. */
  readonly firstPaint: number
  /** A keystroke in the filter, until the new layout. */
  readonly keystroke: number
  /** An arrow key in the full-size view, until the new layout. */
  readonly step: number
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Opens a gallery once in a new page. */
const measureOnce = async (browser: Browser, file: string): Promise<PageTimes> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(pathToFileURL(file).href)
  await page.locator(".thumbnail img").first().waitFor()
  const firstPaint = await page.evaluate(
    async () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const [entry] = list.getEntriesByName("first-contentful-paint")
          if (entry !== undefined) resolve(entry.startTime)
        }).observe({ type: "paint", buffered: true })
      })
  )
  const keystrokes = await page.evaluate(() => {
    const field = document.querySelector("input")
    if (field === null) throw new Error("There is no filter.")
    return ["f", "fo", "fox", "fox ", "fox 1", "fox", "f", "l", "li", "lig"].map((text) => {
      const start = performance.now()
      field.value = text
      field.dispatchEvent(new Event("input"))
      // Forces the layout.
      document.body.getBoundingClientRect()
      return performance.now() - start
    })
  })
  await page.locator(".thumbnail").first().click()
  const steps = await page.evaluate(() => {
    const viewer = document.querySelector("dialog")
    return Array.from({ length: 20 }, () => {
      const start = performance.now()
      viewer?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }))
      viewer?.getBoundingClientRect()
      return performance.now() - start
    })
  })
  await page.close()
  // The slowest keystroke, because the first one prepares the texts that are searched.
  return { firstPaint, keystroke: Math.max(...keystrokes), step: Math.max(...steps) }
}

const rounds = 5

/** Opens galleries in turn, so that other load on the machine affects all of them. */
export const measurePages = async (
  browser: Browser,
  files: ReadonlyArray<string>
): Promise<ReadonlyArray<PageTimes>> => {
  const runs: Array<ReadonlyArray<PageTimes>> = []
  for (let round = 0; round < rounds; round += 1) {
    const times: Array<PageTimes> = []
    for (const file of files) times.push(await measureOnce(browser, file))
    runs.push(times)
  }
  return files.map((_, index) => {
    const of = (name: keyof PageTimes) => median(runs.map((times) => times[index]?.[name] ?? NaN))
    return { firstPaint: of("firstPaint"), keystroke: of("keystroke"), step: of("step") }
  })
}
