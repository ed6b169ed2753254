import type { Usage } from "./measures.js"

/** Starts to measure this process. Returns a function that sends what it has used since to its parent. */
export const measureUsage = () => {
  const start = process.cpuUsage()
  return (): void => {
    const { system, user } = process.cpuUsage(start)
    const usage: Usage = {
      cpuMillis: (user + system) / 1_000,
      peakBytes: process.resourceUsage().maxRSS * 1024
    }
    process.send?.(usage)
  }
}
