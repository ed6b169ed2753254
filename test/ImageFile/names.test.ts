import { describe, expect, it } from "@effect/vitest"
import { GenerateRequest, Generation, ImageFile } from "effect-arta"

const nameOf = (prompt: string) => ImageFile.nameOf(new GenerateRequest.GenerateRequest({ prompt, seed: 7 }))

describe("ImageFile.nameOf", () => {
  it.each([
    ["a lighthouse's light", "a-lighthouse-s-light-7"],
    ["Café Zoë, ½ price™", "cafe-zoe-1-2-pricetm-7"],
    ["Smørrebrød straße", "sm-rrebr-d-stra-e-7"],
    [`${"word ".repeat(11)}longer`, `${"word-".repeat(11)}longe-7`],
    ["🗼", "7"]
  ])("gives the Latin prompt %j the name %s, as it always did", (prompt, name) => {
    expect(nameOf(prompt)).toBe(name)
  })

  // fault: Download | A prompt in another script than Latin | a name in that script
  it.each([
    ["灯台 🗼", "灯台-7"],
    ["コーヒーがほしい", "コーヒーがほしい-7"],
    ["Маяк, йод", "маяк-йод-7"],
    ["등대의 새벽", "등대의-새벽-7"],
    ["सूर्योदय पर", "सूर्योदय-पर-7"],
    ["منارة عند الفجر", "منارة-عند-الفجر-7"],
    ["a lighthouse 灯台", "a-lighthouse-灯台-7"]
  ])("keeps the letters of %j", (prompt, name) => {
    expect(nameOf(prompt)).toBe(name)
  })

  it("bounds names in bytes, and splits no character", () => {
    expect(nameOf("灯".repeat(300))).toBe(`${"灯".repeat(36)}-7`)
    expect(nameOf("𠮷".repeat(300))).toBe(`${"𠮷".repeat(27)}-7`)
  })

  it("bounds a record id at 100 characters", () => {
    expect(ImageFile.nameOf(Generation.RecordId.make("R".repeat(200)))).toBe("r".repeat(100))
  })
})

describe("ImageFile.stemOf", () => {
  it.each([
    ["fox", "fox-3"],
    ["", "3"],
    ["{index} of Foxes", "3 of Foxes"],
    ["a/b\\c:d\u0000e\u202ef", "a-b-c-d-e-f-3"],
    ["../../etc/passwd", "etc-passwd-3"],
    ["-rf", "rf-3"],
    ["com{index}", "image-com3"],
    ["LPT{index}.old", "image-LPT3.old"],
    ["cafe\u0301", "café-3"]
  ])("makes of the name %j a safe one: %s", (name, stem) => {
    expect(ImageFile.stemOf(name, 3)).toBe(stem)
  })

  it("is the same for the default name", () => {
    expect(ImageFile.stemOf(nameOf("灯台"), 3)).toBe("灯台-7-3")
  })
})
