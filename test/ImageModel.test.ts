import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { ImageModel } from "effect-arta"

describe("ImageModel", () => {
  it.each([
    ["Flux", "Flux"],
    ["flux", "Flux"],
    ["FLUX-DEV", "F Dev"],
    ["f dev", "F Dev"],
    ["flux_pro", "F Pro"],
    ["sdxl-1.0", "SDXL 1.0"],
    ["SDXL 1.0", "SDXL 1.0"],
    ["japanese-2", "Japanese_2"],
    ["Japanese_2", "Japanese_2"],
    [" red and black ", "Red and Black"],
    ["revanimated", "RevAnimated"],
    ["tattoo", "tattoo"],
    ["gpt4o-ghibli", "GPT4o Ghibli"]
  ])("resolves %s to %s", (model, service) => {
    expect(ImageModel.candidates(model)).toEqual([service])
  })

  it("resolves each of the 53 service names to itself", () => {
    expect(ImageModel.ServiceName.literals).toHaveLength(53)
    for (const name of ImageModel.ServiceName.literals) expect(ImageModel.candidates(name)).toEqual([name])
  })

  it("resolves gpt-image to three models", () => {
    expect(ImageModel.candidates("gpt-image")).toEqual(["GPT4o", "High GPT4o", "GPT4o Ghibli"])
  })

  it("resolves no other name, and suggests the closest aliases", () => {
    expect(ImageModel.candidates("watercolour")).toEqual([])
    expect(ImageModel.suggest("watercolour")[0]).toBe("watercolor")
    expect(ImageModel.suggest("Fluxx")[0]).toBe("flux")
    expect(ImageModel.suggest("")).toHaveLength(3)
  })

  it("completes names in an editor and accepts any string", () => {
    expectTypeOf<"flux-dev">().toExtend<ImageModel.Alias>()
    expectTypeOf<"japanese-2">().toExtend<ImageModel.Alias>()
    expectTypeOf<"on-limbs-black">().toExtend<ImageModel.Alias>()
    expectTypeOf<"no-such-model">().not.toExtend<ImageModel.Alias>()
    expectTypeOf<string>().toExtend<ImageModel.ImageModel>()
  })
})
