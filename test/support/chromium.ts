import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"
import { existsSync } from "node:fs"

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"

/** In CI, the tests fail without a browser instead of being skipped. */
export const isSkipped = !existsSync(executablePath) && process.env["CI"] === undefined

export const whySkipped = `no Chromium at ${executablePath}: install it, or set CHROMIUM_PATH`

// All arguments but the first two stop Chromium's own network requests.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** Starts headless Chromium with a temporary profile. */
export const launch = (): Promise<Browser> => chromium.launch({ executablePath, headless: true, args })
