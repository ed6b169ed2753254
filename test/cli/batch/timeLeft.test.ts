import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { timeLeft, timeText } from "../../../src/cli/command/batch/timeLeft.js"

const average = Option.some(10_000)

describe("The time left of a batch", () => {
  it.each([
    { workload: { average: Option.none(), running: [5_000], waiting: 9, concurrency: 4 }, left: Option.none() },
    { workload: { average, running: [], waiting: 0, concurrency: 4 }, left: Option.some(0) },
    // Four at a time, so nine take three waves.
    { workload: { average, running: [], waiting: 9, concurrency: 4 }, left: Option.some(30_000) },
    { workload: { average, running: [0, 0, 0, 0], waiting: 8, concurrency: 4 }, left: Option.some(30_000) },
    // The first one to end makes room for the one that waits.
    { workload: { average, running: [8_000, 1_000], waiting: 1, concurrency: 2 }, left: Option.some(12_000) },
    // A row that takes longer than the average may end at any moment.
    { workload: { average, running: [25_000], waiting: 0, concurrency: 4 }, left: Option.some(0) }
  ])("is $left for $workload", ({ left, workload }) => {
    expect(timeLeft(workload)).toEqual(left)
  })

  it.each([
    [200, "1 s"],
    [59_000, "59 s"],
    [61_000, "2 min"],
    [3_599_000, "1 h 0 min"],
    [4_700_000, "1 h 19 min"]
  ])("shows %d ms as %s", (millis, text) => {
    expect(timeText(millis)).toBe(text)
  })
})
