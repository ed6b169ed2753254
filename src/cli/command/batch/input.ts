import type * as Option from "effect/Option"
import type { DatabaseOptions } from "../../shared/database/databaseOptions.js"
import type { NameOptions, OutputOptions, ServiceOptions } from "../../shared/options.js"
import type { ConfirmationOptions } from "../../shared/promptFileOptions.js"
import type * as PromptFile from "./promptFile/promptFile.js"

/** The words of `effect-arta batch`. */
export interface Input
  extends PromptFile.Input, NameOptions, ConfirmationOptions, OutputOptions, ServiceOptions, DatabaseOptions {
  readonly concurrency: number
  readonly retryFailed: boolean
  readonly again: boolean
  readonly failures: Option.Option<string>
  readonly json: boolean
  readonly quiet: boolean
}
