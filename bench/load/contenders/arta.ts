import { join } from "node:path"
import type * as Node from "effect-arta/node"
import { addresses, generateWith, importBuilt } from "./library.js"

/** effect-arta as a program on Node uses it: `NodeArta.layer`, with its defaults and the session in a file. */
export const contender = generateWith(async ({ dist, server, temporary }) => {
  const { NodeArta } = await importBuilt<typeof Node>(dist, "node/index.js")
  return NodeArta.layer({ ...addresses(server), tokenFile: join(temporary, "credentials.json") })
})
