import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { ImageModel } from "effect-arta"
import type { McpServer, ReadResourceResult } from "@modelcontextprotocol/server"
import { ResourceNotFoundError, ResourceTemplate } from "@modelcontextprotocol/server"
import { fileURLToPath } from "node:url"
import { mediaTypeOf } from "./result.js"
import type { Tools } from "./tools.js"

const models = JSON.stringify(
  [...ImageModel.aliases].map(([alias, names]) => ({ alias, models: names })),
  null,
  2
)

/** Reads an image of the directory, and no other file. */
const readImage = (uri: URL, directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    // A symbolic link may lead out of the directory.
    const file = yield* fs.realPath(yield* Effect.try(() => fileURLToPath(uri)))
    const mimeType = mediaTypeOf(path.extname(file).toLowerCase())
    if (path.dirname(file) !== (yield* fs.realPath(directory)) || !mimeType.startsWith("image/")) {
      return yield* Effect.fail(uri)
    }
    const bytes = yield* fs.readFile(file)
    const result: ReadResourceResult = {
      contents: [{ uri: uri.href, mimeType, blob: Buffer.from(bytes).toString("base64") }]
    }
    return result
  }).pipe(Effect.either)

/** Adds the resources to a server: the models, and the images that the tools link to. */
export const registerResources = (server: McpServer, { directory, run }: Tools): void => {
  server.registerResource(
    "models",
    "arta://models",
    {
      title: "Models of ARTA",
      description: "The aliases for the model of generate_image, and the models that they stand for",
      mimeType: "application/json"
    },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: "application/json", text: models }] })
  )
  server.registerResource(
    "image",
    new ResourceTemplate("file:///{+path}", { list: undefined }),
    { title: "A generated image", description: "An image that generate_image or check_generation saved" },
    async (uri, _, { mcpReq }) => {
      const found = await run(readImage(uri, directory), mcpReq.signal)
      if (found._tag === "Left") throw new ResourceNotFoundError(uri.href)
      return found.right
    }
  )
}
