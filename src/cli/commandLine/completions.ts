import { ImageModel } from "effect-arta"
import type { Command } from "./command.js"
import { bash } from "./completions/bash.js"
import { fish } from "./completions/fish.js"
import { zsh } from "./completions/zsh.js"
import type { Shell } from "./interpret.js"

const scripts = { bash, fish, zsh }

/** The script that makes a shell complete `effect-arta`. */
export const completions = (shell: Shell, commands: ReadonlyArray<Command>): string =>
  scripts[shell](commands, { models: [...ImageModel.aliases].map(([alias]) => alias) })
