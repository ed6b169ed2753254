/**
 * @since 0.1.0
 */
export * as ArtaEmulator from "./ArtaEmulator.js"
export * as Fault from "./Fault.js"
