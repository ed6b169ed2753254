/**
 * A PostgreSQL server of a test's own: a new data directory, a Unix socket in it, no TCP, and nothing left at the end.
 *
 * Its URL is `postgres://postgres@localhost/NAME?host=DIRECTORY`. `host` in the query is the directory of the socket,
 * as for psql, and `localhost` is ignored. `PgClient.layer({ url })` also accepts `postgres://USER@/NAME?host=…`, which
 * `new URL` refuses, and `postgres://USER@%2FDIRECTORY/NAME`. Pass a URL on as it is.
 */
import { Context, Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const versions = "/usr/lib/postgresql"

/** Where Debian's package installs the newest version. */
const programs = existsSync(versions)
  ? readdirSync(versions)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(versions, version, "bin"))
      .find((directory) => existsSync(join(directory, "initdb")))
  : undefined

/** In CI, the tests fail without PostgreSQL instead of being skipped. */
export const isSkipped = programs === undefined && process.env["CI"] === undefined

export const whySkipped = `no PostgreSQL in ${versions}: install the package postgresql`

// PostgreSQL refuses to run as root. Debian's "nobody" always exists.
const nobody = 65_534
const isRoot = process.getuid?.() === 0

/** Runs a program of PostgreSQL to its end, as an unprivileged user. */
const run = (program: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.async<string>((resume) => {
    const options = { cwd, ...(isRoot ? { uid: nobody, gid: nobody } : {}) }
    execFile(join(programs ?? "", program), args, options, (error, stdout, stderr) => {
      resume(error === null ? Effect.succeed(stdout) : Effect.dieMessage(`${program}: ${stderr} ${error.message}`))
    })
  })

export interface Service {
  /** Creates an empty database, and returns its URL. */
  readonly createDatabase: Effect.Effect<string>
  readonly start: Effect.Effect<void>
  /** `fast` closes all connections. `immediate` stops like a crash. Both keep what was committed. */
  readonly stop: (mode: "fast" | "immediate") => Effect.Effect<void>
  /** The number of transactions of a database so far, committed or rolled back. */
  readonly transactions: (url: string) => Effect.Effect<number>
  /** Runs SQL in a database and returns the rows as text, one a line, with `|` between the columns. */
  readonly query: (url: string, sql: string) => Effect.Effect<string>
}

export class Postgres extends Context.Tag("effect-arta/test/Postgres")<Postgres, Service>() {}

// A committed transaction survives the end of the server's processes. Only a crash of the machine may lose it.
const fast = { fsync: "off", full_page_writes: "off" }

/** Starts a server, and removes it when the scope closes. */
export const make = (settings: Readonly<Record<string, string>> = fast) =>
  Effect.gen(function* () {
    if (programs === undefined) return yield* Effect.dieMessage(whySkipped)
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-arta-pg-"))),
      (path) =>
        Effect.sync(() => {
          rmSync(path, { recursive: true, force: true })
        })
    )
    if (isRoot) chownSync(directory, nobody, nobody)
    const data = join(directory, "data")
    yield* run("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], directory)

    const options = Object.entries({ ...settings, listen_addresses: "", unix_socket_directories: directory })
      .map(([name, value]) => `-c ${name}='${value}'`)
      .join(" ")
    const log = join(directory, "log")
    const control = (...args: ReadonlyArray<string>) => run("pg_ctl", [...args, "-w", "-D", data, "-l", log], directory)
    const start = Effect.asVoid(control("start", "-o", options)).pipe(
      Effect.tapDefect(() => Effect.logError(existsSync(log) ? readFileSync(log, "utf8") : ""))
    )
    const stop = (mode: "fast" | "immediate") => Effect.asVoid(control("stop", "-m", mode))
    const isRunning = Effect.sync(() => existsSync(join(data, "postmaster.pid")))
    yield* Effect.acquireRelease(start, () => Effect.whenEffect(stop("immediate"), isRunning))

    const urlOf = (database: string) => `postgres://postgres@localhost/${database}?host=${directory}`
    const query = (url: string, sql: string) => run("psql", [url, "-XAtqc", sql], directory)
    let databases = 0
    return Postgres.of({
      start,
      stop,
      query,
      createDatabase: Effect.suspend(() => {
        databases += 1
        const name = `test_${String(databases)}`
        return Effect.as(query(urlOf("postgres"), `create database ${name}`), urlOf(name))
      }),
      transactions: (url) =>
        Effect.map(
          query(url, "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"),
          Number
        )
    })
  })

export const layer = Layer.scoped(Postgres, make())
