import { NodeContext } from "@effect/platform-node"
import { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { closedPort } from "../../support/closedPort.js"
import type { Environment } from "../../support/command.js"
import { command } from "../../support/command.js"

const closed = `127.0.0.1:${String(closedPort)}`

const warning =
  "Other users of this machine may see the password of --database in the list of processes. Set ARTA_DATABASE_URL instead."

/** What `status` says of a database that it cannot use. */
const failure = (flags: ReadonlyArray<string>, env: Environment = {}) =>
  Effect.map(command(["status", ...flags], { env }), ({ code, stderr, stdout }) => {
    expect(stdout).toBe("")
    expect(stderr).not.toContain("s3cret")
    return { code, stderr }
  })

const unreachable = (place: string) =>
  `The database server cannot be reached: postgres://${place}. Start it, or check the host and the port.\n`

const noSocket = (place: string) =>
  `The database server cannot be reached: postgres://${place}. There is no socket in this directory. Start it, or check the host.\n`

const noFile = (file: string) =>
  `There is no database sqlite:${file}. Create it with: effect-arta batch FILE --database sqlite:${file}\n`

describe.concurrent("The URL of a database", () => {
  it.effect.each<[string, string]>([
    [`postgres://${closed}/db`, unreachable(`${closed}/db`)],
    [`POSTGRESQL://me@${closed}/db `, unreachable(`${closed}/db`)],
    [`postgres://me:s3cret@${closed}/db`, `${warning}\n${unreachable(`${closed}/db`)}`],
    [`postgres://${closed}/db?password=s3cret`, `${warning}\n${unreachable(`${closed}/db`)}`],
    ["postgres://me@/db?host=/nonexistent", noSocket("/db?host=/nonexistent")],
    ["postgres:///db?host=/nonexistent&port=5433", noSocket("/db?host=/nonexistent&port=5433")],
    ["postgres://?host=/nonexistent", noSocket("?host=/nonexistent")],
    [
      "postgres://me@",
      "The database cannot be used (ERR_INVALID_URL): postgres://localhost. Check the URL and the server.\n"
    ],
    ["sqlite:missing/a.db", noFile("missing/a.db")],
    ["SQLite3://missing/rows ", noFile("missing/rows")]
  ])("is shown without user and password: %s", ([url, text]) =>
    Effect.map(failure(["--database", url]), ({ code, stderr }) => {
      expect(stderr).toBe(text)
      expect(code).toBe(3)
    })
  )

  const forms = "must be sqlite:FILE, or postgres://USER:PASSWORD@HOST/NAME."

  it.effect.each<[string, string]>([
    ["sqlite:", `${forms} Name the file: sqlite:images/effect-arta.db.`],
    ["images.db", `${forms} For a file, write sqlite: in front of its name.`],
    ["images.SQLITE", `${forms} For a file, write sqlite: in front of its name.`],
    ["images.sqlite3", `${forms} For a file, write sqlite: in front of its name.`],
    ["images.db.bak", forms],
    ["images.sqlite4", forms],
    ["my-sqlite:images.png", forms],
    ["my-postgres://host/name", forms],
    ["postgres:host", forms]
  ])("is refused with what it must be: %s", ([url, text]) =>
    Effect.map(failure([], { ARTA_API_KEY: "k", ARTA_DATABASE_URL: url }), ({ code, stderr }) => {
      expect(stderr).toBe(`ARTA_DATABASE_URL ${text}\n`)
      expect(code).toBe(3)
    })
  )

  it.effect("is that of --database, ARTA_DATABASE_URL, or the file in the directory images", () =>
    Effect.gen(function* () {
      const env = { ARTA_API_KEY: "k", ARTA_DATABASE_URL: `postgres://me:s3cret@${closed}/variable` }
      expect((yield* failure(["--database", `postgres://${closed}/flag`], env)).stderr).toBe(
        unreachable(`${closed}/flag`)
      )
      // No other user sees the variables of a process.
      expect((yield* failure(["--database", ""], env)).stderr).toBe(unreachable(`${closed}/variable`))
      expect((yield* failure([], env)).stderr).toBe(unreachable(`${closed}/variable`))
      expect((yield* failure([])).stderr).toBe(noFile("images/effect-arta.db"))
    })
  )

  it.scopedLive("gets no warning about its password with --quiet", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${directory}/p.txt`, "a fox\n")
      const { stderr } = yield* command(
        ["batch", `${directory}/p.txt`, "--database", `postgres://me:s3cret@${closed}/db`, "--quiet"],
        { env: { ARTA_API_KEY: "k" } }
      )
      expect(stderr).toBe(unreachable(`${closed}/db`))
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.effect.each([
    ["images.db", "2: a.txt b.txt"],
    ["IMAGES.SQLITE", "2: a.txt b.txt"],
    ["images.sqlite3", "2: a.txt b.txt"],
    ["sqlite:images", "2: a.txt b.txt"],
    ["images.db.txt", "3: images.db.txt a.txt b.txt"],
    ["sqlite", "3: sqlite a.txt b.txt"],
    ["2:images", "3: 2\\:images a.txt b.txt"]
  ])("is the value of --database if it looks like one: %s", ([word = "", files = ""]) =>
    Effect.gen(function* () {
      const { stderr } = yield* command(["batch", "--database", word, "a.txt", "b.txt"])
      expect(stderr).toBe(`batch takes one FILE, but got ${files}.\n`)
    })
  )

  it.scopedLive("of a file that is none says what to do", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
      const says = (file: string) => Effect.map(failure(["--database", `sqlite:${file}`]), ({ stderr }) => stderr)
      expect(yield* says(directory)).toBe(
        `Cannot open sqlite:${directory}. Check that ${directory} is a file that you may write, in a directory that exists.\n`
      )
      expect(yield* says("/dev/full")).toBe(
        "Cannot open sqlite:/dev/full: database or disk is full. Correct that, or choose another file.\n"
      )
      expect(yield* says("package.json/a.db")).toMatch(
        /^A part of this path is a file, not a directory: package\.json\/a\.db\./
      )
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
