/**
 * @since 0.1.0
 */
export * as Arta from "./Arta.js"
export * as ArtaApi from "./ArtaApi.js"
export * as ArtaClient from "./ArtaClient.js"
export * as ArtaError from "./ArtaError.js"
export * as AtomicFile from "./AtomicFile.js"
export * as Auth from "./Auth.js"
export * as Credentials from "./Credentials.js"
export * as DurationStore from "./DurationStore.js"
export * as FileLock from "./FileLock.js"
export * as GenerateRequest from "./GenerateRequest.js"
export * as Generation from "./Generation.js"
export * as ImageFile from "./ImageFile.js"
export * as ImageModel from "./ImageModel.js"
export * as Polling from "./Polling.js"
export * as TokenStore from "./TokenStore.js"
