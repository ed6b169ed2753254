/**
 * @since 0.1.0
 */
export * as BatchDatabase from "./BatchDatabase.js"
export * as SubmissionLedger from "./SubmissionLedger.js"
