/**
 * @since 0.1.0
 */
export * as ArtaWorkflow from "./ArtaWorkflow.js"
export * as BatchDatabase from "./BatchDatabase.js"
export * as BatchError from "./BatchError.js"
export * as BatchRow from "./BatchRow.js"
export * as BatchStatus from "./BatchStatus.js"
export * as DurableBatch from "./DurableBatch.js"
export * as ImageSink from "./ImageSink.js"
export * as SharedRateLimit from "./SharedRateLimit.js"
export * as SubmissionLedger from "./SubmissionLedger.js"
export * as TokenStore from "./TokenStore.js"
