import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"
import { existsSync } from "node:fs"

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"

/** Where tests must not be skipped, they fail for want of a browser instead. */
export const isSkipped = !existsSync(executablePath) && process.env["CI"] === undefined

export const whySkipped = `no Chromium at ${executablePath}: install it, or set CHROMIUM_PATH`

// All but the first two keep it from asking for anything by itself.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** Chromium without a window, in a profile of its own that goes when it is closed. */
export const launch = (): Promise<Browser> => chromium.launch({ executablePath, headless: true, args })
