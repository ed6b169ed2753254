import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { started } from "../../support/command.js"
import { count, describeInBrowser, files, opened, thumbnail } from "../../support/galleryPage.js"
import { png } from "../../support/images.js"

describeInBrowser("A served gallery in a browser", () => {
  it("follows the directory", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFile(`${directory}/a.png`, png(4, 4))
      const { wrote } = yield* started(["gallery", directory, "--serve"])
      const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(yield* wrote(/http:.*\n/)) ?? []
      const page = yield* Effect.promise(() => opened({}, url))
      const shown = (expected: ReadonlyArray<string>) =>
        Effect.promise(() => expect.poll(() => files(page), { timeout: 20_000 }).toEqual(expected))
      yield* shown(["a.png"])
      yield* Effect.promise(() => page.getByText("Live").waitFor())
      yield* fs.writeFile(`${directory}/b.png`, png(4, 4))
      yield* shown(["a.png", "b.png"])
      yield* fs.remove(`${directory}/a.png`)
      yield* shown(["b.png"])
      const isLoaded = () =>
        thumbnail(page, "b.png")
          .getByRole("img")
          .evaluate((image: HTMLImageElement) => image.naturalWidth)
      yield* Effect.promise(() => expect.poll(isLoaded).toBe(4))
      expect(yield* Effect.promise(() => count(page))).toBe("1 image")
      yield* Effect.promise(() => page.close())
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.runPromise))
})
