import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { command, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { until } from "../../support/mcpWorld.js"
import { isSkipped, layer, Postgres, whySkipped } from "../../support/postgres.js"

describe.skipIf(isSkipped)(`A database server${isSkipped ? ` (${whySkipped})` : ""}`, { timeout }, () => {
  it.scopedLive("gives all machines one account, and is named without its password", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, file, images } = yield* batch
      const { createDatabase, query } = yield* Postgres
      const url = yield* createDatabase
      const database = ["--database", url.replace("postgres@", "postgres:s3cret@")]
      const path = yield* file("p.txt", "a fox\nan owl\n")
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      const first = yield* command(["batch", path, "-o", images, "-c", "1", ...database], { env })
      expect(first.code).toBe(5)
      expect(first.stderr).not.toContain("s3cret")
      expect(first.stderr).toMatch(/: effect-arta retry p-[0-9a-f]{8} --unknown --database URL$/m)
      const retried = yield* command(["retry", "p", "--unknown", "--yes", ...database], { env })
      expect(retried.stderr).toMatch(/A runner submits them: effect-arta runner --database URL$/m)

      // Another machine has another session file.
      const elsewhere = { ...env, ARTA_TOKEN_FILE: `${directory}/elsewhere/credentials.json`, ARTA_DATABASE_URL: url }
      const runner = yield* started(["runner"], { env: elsewhere })
      const status = command(["status", "p"], { env: elsewhere })
      yield* until(Effect.map(status, ({ stdout }) => stdout.includes("2 of 2 saved")))
      const names = "select string_agg(distinct application_name, ',') from pg_stat_activity where datname = 'test_1'"
      expect(yield* query(url, names)).toContain("effect-arta")
      yield* runner.interrupt
      yield* runner.ended
      expect(yield* emulator.counts).toMatchObject({ signUp: 1, submit: 3 })
    }).pipe(onPort(), Effect.provide(layer))
  )
})
