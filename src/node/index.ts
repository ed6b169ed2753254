/**
 * @since 0.1.0
 */
export * as NodeArta from "./NodeArta.js"
