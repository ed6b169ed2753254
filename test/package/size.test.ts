import { expect, it } from "@effect/vitest"
import { everything, measure, mostOwnBytes, own } from "../../bench/size/bundle.js"

// Bundles the library.
it("The neutral entry bundles for a browser and stays small", { timeout: 60_000 }, async () => {
  const sizes = await measure(everything)
  expect(own(sizes)).toBeGreaterThan(1_000)
  expect(own(sizes)).toBeLessThanOrEqual(mostOwnBytes)
})
