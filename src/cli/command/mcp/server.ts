import { McpServer } from "@modelcontextprotocol/server"
import { registerResources } from "./resources.js"
import type { Tools } from "./tools.js"
import { registerTools } from "./tools.js"

const instructions =
  "Generates images with ARTA. Every generate_image is charged: call it once for each request, and get the images of a " +
  "generation that takes long, or whose call was cancelled, with check_generation. Show the user the paths of the files."

/** Makes the server for one connection, session or request. All of them share the generations. */
export const makeServer = (tools: Tools, version: string): McpServer => {
  const server = new McpServer({ name: "effect-arta", title: "ARTA images", version }, { instructions })
  registerTools(server, tools)
  registerResources(server, tools)
  return server
}
