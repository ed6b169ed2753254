import type { Parsed } from "../../commandLine/command.js"
import { inGroup, optional, withDefault } from "../../commandLine/command.js"
import * as Value from "../../commandLine/value.js"

/** Whether a word names a database, and not a file of prompts or a batch. */
const namesDatabase = (word: string): boolean => /^[a-z][a-z\d+.-]+:|\.(db|sqlite3?)$/i.test(word)

// Its URL may contain a password.
const url = Value.omittable(Value.secret("URL"), namesDatabase)

/** Where `batch` keeps its rows, if several processes share them. */
export const sharedBatchOptions = inGroup("Batch", {
  database: optional("database", url, { summary: "Share the rows with runners through a database" })
})

/** The database of the commands that need one. */
export const databaseOptions = inGroup("Database", {
  database: optional("database", url, {
    summary: "sqlite:FILE or postgres://…",
    byDefault: "ARTA_DATABASE_URL"
  })
})

const atLeastOne = Value.where(Value.integer("N"), (n) => n > 0, "a whole number greater than 0")

export const runnerOptions = {
  ...inGroup("Runner", {
    concurrency: withDefault("concurrency", atLeastOne, 32, {
      alias: "c",
      summary: "How many generations are in flight at once"
    }),
    submissions: withDefault("submissions", atLeastOne, 4, { summary: "How many submissions are sent at once" })
  }),
  ...inGroup("Output", {
    output: optional("output", Value.directory("DIR"), {
      alias: "o",
      summary: "The directory for the images",
      byDefault: "that of each batch"
    }),
    metadata: optional("metadata", Value.oneOf("full|none", ["full", "none"]), {
      summary: "Write the settings into the images",
      byDefault: "as the batch"
    })
  })
}

export type DatabaseOptions = Parsed<typeof databaseOptions>
