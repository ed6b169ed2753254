import { readdirSync } from "node:fs"
import { resolve } from "node:path"

// The thread stays for the next mutant. The last one must not be active while test files load and name their tests.
const stryker: unknown = Reflect.get(globalThis, "__stryker__")
if (typeof stryker === "object" && stryker !== null) Reflect.set(stryker, "activeMutant", undefined)

// A command loads its modules when it runs. Stryker would take what runs while they load for a part of the first test,
// and its mutants for survivors, because they load only once.
const startsProcess = /^(main|start)\.ts$/
for (const file of readdirSync("src/cli", { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".ts") && !startsProcess.test(file)) await import(resolve("src/cli", file))
}
