import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { batch } from "../../support/batchWorld.js"
import { command } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { editDatabase } from "../../support/editDatabase.js"

/** What commands say of a database after its tables were changed by hand. */
const afterChange = (statements: (prefix: string) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { env, file, images, run } = yield* batch
    expect((yield* run(yield* file("p.txt", "a fox\n"), "--database")).code).toBe(0)
    const database = `${images}/effect-arta.db`
    yield* editDatabase(database, statements)
    const failed = yield* command(["status", "--database", `sqlite:${database}`], { env })
    expect(failed.code).toBe(3)
    expect(failed.stdout).toBe("")
    const retried = yield* command(["retry", "p", "--unknown", "--database", `sqlite:${database}`], { env })
    expect(retried.stderr).toBe(failed.stderr)
    return failed.stderr.replaceAll(database, "FILE")
  })

const refused = (operation: string) =>
  `Could not ${operation} in the database: SQLite refused the statement (SQLITE_ERROR). The database is sqlite:FILE.\n`

describe.concurrent("A database with other tables", { timeout }, () => {
  it.scopedLive.each([
    ["read batches", (prefix: string) => [`ALTER TABLE ${prefix}batches RENAME COLUMN settings TO other`]],
    ["create the tables", (prefix: string) => [`DELETE FROM ${prefix}migrations`]]
  ] as const)("is named by what could not %s", ([operation, statements]) =>
    Effect.gen(function* () {
      expect(yield* afterChange(statements)).toBe(refused(operation))
    }).pipe(onPort())
  )
})
