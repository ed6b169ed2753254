import "@effect/platform-node/NodeFileSystem"
import "@effect/platform-node/NodeHttpClient"
import "effect/Schema"

/** The minimal loop in Effect, with the modules loaded that effect-arta needs on Node. It shows what these cost. */
export { contender } from "./effect-dispatch.js"
