import type { Before } from "./report.js"

/** What effect-arta 0.1.0 did in the same runs, in the order of the cases. */
export const before: ReadonlyArray<Before> = [
  { laterRefused: 0.4151, failed: 0.0, lag: 17.23 },
  { laterRefused: 0.5463, failed: 0.0, lag: 77.86 },
  { laterRefused: 0.6462, failed: 7.8, lag: 169.37 },
  { laterRefused: 0.5473, failed: 0.0, lag: 15.93 },
  { laterRefused: 0.8293, failed: 0.0, lag: 43.71 },
  { laterRefused: 0.9057, failed: 0.0, lag: 95.65 },
  { laterRefused: 0.4151, failed: 0.0, lag: 17.23 },
  { laterRefused: 0.5463, failed: 0.0, lag: 77.86 },
  { laterRefused: 0.6462, failed: 7.8, lag: 169.37 },
  { laterRefused: 0.5473, failed: 0.0, lag: 15.93 },
  { laterRefused: 0.8293, failed: 0.0, lag: 43.71 },
  { laterRefused: 0.9057, failed: 0.0, lag: 95.65 }
]
