import { expect, it } from "@effect/vitest"
import { isStartMet, measureStart } from "../../bench/polling/start.js"

// As in bench/polling, with fewer programs and the same seeds.
const programs = 60

it.each([0.5, 3, 30, 180])(
  "Polling.adaptive costs at most 1.5 times as much as the best fixed pause when cold, for about %s s",
  { timeout: 60_000 },
  async (median) => {
    expect(await measureStart(median, programs, 1)).toSatisfy(isStartMet)
  }
)

it("Polling.adaptive costs at most 1.2 times as much as the best fixed pause after one generation", async () => {
  expect(await measureStart(10, programs, 2)).toSatisfy(isStartMet)
})
