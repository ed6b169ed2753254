import { expect, it } from "@effect/vitest"
import { everything, measure, mostOwnBytes, own } from "../../bench/size/bundle.js"

it("The neutral entry bundles for a browser and stays small", async () => {
  const sizes = await measure(everything)
  expect(own(sizes)).toBeGreaterThan(1_000)
  expect(own(sizes)).toBeLessThanOrEqual(mostOwnBytes)
})
