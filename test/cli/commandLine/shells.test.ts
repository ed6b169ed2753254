import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { command } from "../../support/command.js"
import { startProgram } from "../../support/commandProcess.js"
import { timeout } from "../../support/commandWorld.js"

/** How to start each shell without the settings of the user, and what makes it complete. */
const shells = [
  { shell: "bash", line: ["bash", "--norc", "--noprofile", "-i"], set: "set +o history" },
  {
    shell: "zsh",
    line: ["zsh", "-f", "-i"],
    // The first function that completes would otherwise ask about the directories of `fpath`.
    set: "autoload -Uz compinit; compinit -u -D; unsetopt beep"
  },
  {
    shell: "fish",
    line: ["fish", "-N", "-i"],
    set: "set -g fish_autosuggestion_enabled 0"
  }
] as const

/** What is typed, and the words that the command then gets. Each word that ends in a tab is completed. */
const cases = [
  { typed: "effect-arta gen\t", words: ["generate"] },
  { typed: "effect-arta acc\tsig\t", words: ["account", "sign-out"] },
  { typed: "effect-arta generate fox --neg\tx", words: ["generate", "fox", "--negative", "x"] },
  { typed: "effect-arta generate fox -m waterc\t", words: ["generate", "fox", "-m", "watercolor"] },
  { typed: "effect-arta generate fox -o out\t", words: ["generate", "fox", "-o", "output"] },
  { typed: "effect-arta batch prom\t--retry\t", words: ["batch", "prompts.csv", "--retry-failed"] },
  { typed: "effect-arta batch my\t", words: ["batch", "my prompts.txt"] },
  { typed: "effect-arta gallery out\t", words: ["gallery", "output"] },
  { typed: "effect-arta --compl\tfis\t", words: ["--completions", "fish"] },
  { typed: "effect-arta help emu\t", words: ["help", "emulator"] }
]

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0

/** Shows the words that it gets instead of doing anything. */
const standIn = `#!/bin/sh\nprintf 'got'; printf ' <%s>' "$@"; echo .\n`

const setUp = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  yield* fs.makeDirectory(`${directory}/bin`)
  yield* fs.writeFileString(`${directory}/bin/effect-arta`, standIn, { mode: 0o755 })
  yield* fs.makeDirectory(`${directory}/output`)
  for (const name of ["prompts.csv", "my prompts.txt", "output.txt"])
    yield* fs.writeFileString(`${directory}/${name}`, "")
  return { directory, fs }
})

// `script`, which provides the terminal, takes other arguments outside Linux.
describe.skipIf(process.platform !== "linux")("The completions", { timeout }, () => {
  for (const { line, set, shell } of shells)
    // In CI, a missing shell is a failure: .ci/run installs all of them.
    it.scopedLive.skipIf(process.env["CI"] === undefined && !isInstalled(shell))(`work in ${shell}`, () =>
      Effect.gen(function* () {
        const { directory, fs } = yield* setUp
        yield* fs.writeFileString(`${directory}/completions`, (yield* command(["--completions", shell])).stdout)
        const env = { PATH: `${directory}/bin:${process.env["PATH"] ?? ""}`, HOME: directory, TERM: "xterm" }
        const running = yield* startProgram(line, { cwd: directory, env, terminal: true })
        const enter = (typed: string, until: RegExp) =>
          Effect.zipRight(running.press(`${typed}\r`), Effect.timeout(running.wrote(until), "20 seconds"))
        // The quotes keep the echo of what is typed from matching.
        yield* enter(`${set}; source ./completions; echo rea''dy`, /ready/)
        for (const { typed, words } of cases) {
          const shown = yield* enter(typed, /got.*\.\r?\n/)
          // zsh writes `--flag=value`, and removes the slash at the end of a word.
          const got = /got.*\./
            .exec(shown)?.[0]
            .replace(/(<--\w+)=/, "$1> <")
            .replace("/>", ">")
          expect(got).toBe(`got${words.map((word) => ` <${word}>`).join("")}.`)
        }
      }).pipe(Effect.provide(NodeContext.layer))
    )
})
