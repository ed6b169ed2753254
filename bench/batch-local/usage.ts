// Loaded into each measured process. Writes what it used to a file when it ends.
import { writeFileSync } from "node:fs"

process.on("exit", () => {
  const { system, user } = process.cpuUsage()
  const { maxRSS } = process.resourceUsage()
  const usage = { cpuMillis: (user + system) / 1000, peakBytes: maxRSS * 1024 }
  writeFileSync(process.env["USAGE_FILE"] ?? "", JSON.stringify(usage))
})
