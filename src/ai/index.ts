/**
 * @since 0.1.0
 */
export * as ArtaToolkit from "./ArtaToolkit.js"
