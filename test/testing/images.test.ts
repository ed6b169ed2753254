import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { imageOf } from "../support/emulatorWire.js"

type Fields = Parameters<typeof imageOf>[0]

/** The size of an image and a hash of its pixels. PNG compression may change, the pixels may not. */
const fingerprint = (fields: Fields, index?: number) =>
  Effect.map(imageOf(fields, index), ({ channels, data, height, width }) => {
    const hash = createHash("sha256").update(Uint8Array.from(data)).digest("hex")
    return `${String(width)}x${String(height)}x${String(channels)} ${hash.slice(0, 16)}`
  })

const cat = { prompt: "a cat", style: "Flux", seed: "1", aspect_ratio: "1:1" }

describe("the emulator's images, pixel by pixel", () => {
  const onPort = Effect.provide(emulatorOnPort({ imageSize: 96 }))

  // Snapshots in tests of other programs depend on these pixels.
  it.live("are the same on every machine and in every version", () =>
    Effect.gen(function* () {
      const lighthouse = { prompt: "a lighthouse", style: "Anime", seed: "42", aspect_ratio: "16:9" }
      const garden = { prompt: "a garden, at night", style: "SDXL 1.0", seed: "99999999", aspect_ratio: "2:3" }
      expect([yield* fingerprint(cat), yield* fingerprint(lighthouse, 1), yield* fingerprint(garden)]).toEqual([
        "96x96x3 b6c49f01320b2d35",
        "96x54x3 20973dd891dedc6a",
        "64x96x3 271ceda5717e6a72"
      ])
    }).pipe(onPort)
  )

  it.live("change with the prompt, the model, the seed, and the index, and with nothing else", () =>
    Effect.gen(function* () {
      const first = yield* fingerprint(cat)
      const others = yield* Effect.all([
        fingerprint({ ...cat, prompt: "a dog" }),
        fingerprint({ ...cat, style: "Anime" }),
        fingerprint({ ...cat, seed: "2" }),
        fingerprint(cat, 1)
      ])
      expect(new Set([first, ...others]).size).toBe(5)
      expect(yield* fingerprint({ ...cat, steps: "5", cfg_scale: "2", negative_prompt: "blurry" })).toBe(first)
    }).pipe(onPort)
  )

  it.live("have the size of their aspect ratio", () =>
    Effect.gen(function* () {
      const sizes = yield* Effect.forEach(["1:1", "16:9", "32:18", "9:16", "3:7", "1000:1"], (aspectRatio) =>
        Effect.map(imageOf({ ...cat, aspect_ratio: aspectRatio }), ({ height, width }) => [width, height])
      )
      expect(sizes).toEqual([
        [96, 96],
        [96, 54],
        [96, 54],
        [54, 96],
        [41, 96],
        [96, 1]
      ])
    }).pipe(onPort)
  )
})
