/**
 * @since 0.1.0
 */
export * as ArtaServer from "./ArtaServer.js"
