#!/usr/bin/env node
import * as Either from "effect/Either"
import { stripVTControlCharacters } from "node:util"
import { help } from "./commandLine/help.js"
import { interpret } from "./commandLine/interpret.js"
import { commands } from "./commands.js"
import { hasColors } from "./shared/hasColors.js"
import { version } from "./version.js"

// Keep saving after EPIPE, as when the output is piped into `head`.
const ignoreEpipe = (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
}
process.stdout.on("error", ignoreEpipe)
process.stderr.on("error", ignoreEpipe)

const args = process.argv.slice(2)
const asked = Either.getOrUndefined(interpret(args, commands))

// Help and the version need no part of Effect's runtime, whose loading takes most of the time of a start.
if (asked?._tag === "Version") console.log(version)
else if (asked?._tag === "Help") {
  const text = help(asked.command, commands, version)
  console.log(hasColors(process.stdout) ? text : stripVTControlCharacters(text))
} else {
  const { start } = await import("./start.js")
  start(args, version)
}
