import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ArtaApi, Generation } from "effect-arta"
import { countingAuth } from "../support/countingAuth.js"
import { scriptedClient } from "../support/scriptedClient.js"

const status = (body: unknown) =>
  Effect.flatMap(ArtaApi.ArtaApi, (api) => api.status(Generation.RecordId.make("rec-1"))).pipe(
    Effect.provide(
      ArtaApi.layer({ apiUrl: "https://arta.test/api/v1" }).pipe(
        Layer.provide(countingAuth),
        Layer.provide(scriptedClient({ text2image: [{ body }] }).layer)
      )
    )
  )

describe("The images of a status", () => {
  const images = (...urls: ReadonlyArray<unknown>) => status({ status: "DONE", response: urls.map((url) => ({ url })) })

  // fault: Download | A relative, a `data:` or a raw image address | the image
  it.effect.each([
    ["https://a.test/x%20y?token&a=b~c'd&e=%7E", "https://a.test/x%20y?token&a=b~c'd&e=%7E"],
    ["HTTP://A.test", "https://A.test"],
    ["http://a.test/data:1", "https://a.test/data:1"],
    ["https://a.test/1?from=http://b.test", "https://a.test/1?from=http://b.test"],
    ["/files/1.png", "https://arta.test/files/1.png"],
    ["files/1.png?q=~", "https://arta.test/api/v1/files/1.png?q=~"],
    ["//cdn.test/1.png", "https://cdn.test/1.png"],
    ["data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="],
    ["DATA:image/png;base64,iVBORw0KGgo=", "DATA:image/png;base64,iVBORw0KGgo="],
    ["data:image/png;base64,iVBO\r\n Rw0KGgo=", "data:image/png;base64,iVBORw0KGgo="],
    ["data:image/png,%89PNG a b", "data:image/png,%89PNG a b"],
    [" data:image/png,%89PNG\n\t%0D%0A\r\n", "data:image/png,%89PNG%0D%0A"],
    [" https://a.test/1\u001b[31m ", "https://a.test/1%1B[31m"],
    ["https://a.test/a b\u202e\u009b", "https://a.test/a%20b%E2%80%AE%C2%9B"],
    ["https://a.test/\u00e9?\u00e9", "https://a.test/%C3%A9?%C3%A9"],
    ["https://a.test/?t=tok\nen-1", "https://a.test/?t=<redacted>"]
  ])("have the URL %j", ([sent, url]) =>
    Effect.map(images(sent), (found) => {
      expect(found).toEqual({ _tag: "Done", images: [{ index: 0, url }] })
    })
  )

  // fault: Download | An image without a usable address | the others, and how many are missing
  it.effect.each<[unknown]>([
    [null],
    [""],
    [" "],
    [5],
    ["ftp://a.test/1"],
    ["ftp://http.test/1"],
    ["httpx://a.test/1"],
    ["data:"],
    ["data:,"],
    ["data:image/png;base64,"],
    ["javascript:alert(1)"],
    ["https://"],
    ["https://a\u001bb/1"],
    ["data:image/png;base64,\u001b"],
    ["data:image/png;base64,\u001b=="],
    [`https://a.test/${"x".repeat(20_000)}`]
  ])("are missing with the URL %j", ([url]) =>
    Effect.map(images(url, "https://a.test/1"), (found) => {
      expect(found).toEqual({ _tag: "Done", images: [{ index: 1, url: "https://a.test/1" }], missing: 1 })
    })
  )
})
