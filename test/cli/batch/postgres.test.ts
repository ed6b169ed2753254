import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { batch, prompts } from "../../support/batchWorld.js"
import { command } from "../../support/command.js"
import { startProcess } from "../../support/commandProcess.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { isSkipped, layer, Postgres, whySkipped } from "../../support/postgres.js"

describe.skipIf(isSkipped)(`batch --database postgres://${isSkipped ? ` (${whySkipped})` : ""}`, { timeout }, () => {
  // fault: Batch runners | A batch in PostgreSQL gets SIGTERM | exits, and a runner generates the rest, each row once
  it.scopedLive("hands its rows over to a runner when it is terminated", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, saved } = yield* batch
      const { createDatabase } = yield* Postgres
      const database = { ...env, ARTA_DATABASE_URL: yield* createDatabase }
      const path = yield* file("p.txt", prompts.join("\n"))
      const first = yield* startProcess(["batch", path, "-o", images, "--database", "-c", "1"], { env: database })
      yield* first.wrote(/^\[1\/4\] saved/m)
      yield* first.signal("SIGTERM")
      expect((yield* first.ended).code).toBe(130)

      // Another machine has another session file.
      const elsewhere = { ...database, ARTA_TOKEN_FILE: `${images}/elsewhere/credentials.json` }
      const runner = yield* startProcess(["runner"], { env: elsewhere })
      // Until then, a signal kills it, and the first process may have saved all rows by now.
      yield* runner.wrote(/message=started/)
      const watched = yield* command(["status", "p", "--watch"], { env: database })
      expect(watched.stdout).toMatch(/: 4 of 4 saved/)
      yield* runner.signal("SIGTERM")
      expect((yield* runner.ended).code).toBe(130)
      expect(yield* saved).toHaveLength(4)
      expect(yield* emulator.counts).toMatchObject({ signUp: 1, submit: 4 })
    }).pipe(onPort(), Effect.provide(layer))
  )

  it.scopedLive("names a database that does not exist", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      const url = (yield* createDatabase).replace("/test_1?", "/missing?")
      const { code, stderr } = yield* command(["status", "--database", url])
      expect(stderr).toMatch(/^The server has no database of this name: .*Create it with createdb/)
      expect(code).toBe(3)
    }).pipe(Effect.provide(layer))
  )
})
