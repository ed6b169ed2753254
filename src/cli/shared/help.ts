/** What the command is for. */
export const purpose = "Turn prompts into images through the ARTA API."

/** What each command does, in a sentence. */
export const summaries = {
  generate: "Generate images from a prompt.",
  watch: "Resume a generation that was submitted before.",
  batch: "Generate images for a file of prompts. Run it again to resume.",
  gallery: "Write a page that shows the images in a directory.",
  models: "List the models and their aliases.",
  account: "Show the account, when its token expires, and its file.",
  "account renew": "Refresh the token of the account, or sign up.",
  "account sign-out": "Delete the session stored on this machine.",
  emulator: "Serve the built-in emulator to programs on this machine."
} as const

const width = Math.max(...Object.keys(summaries).map(({ length }) => length))

/** The help of the whole command. That of `@effect/cli` repeats every option in lines as long as the longest. */
export const overview = (version: string): string =>
  [
    `effect-arta ${version}`,
    "",
    purpose,
    "",
    "USAGE",
    "",
    "  effect-arta <command> [options]",
    "",
    "COMMANDS",
    "",
    ...Object.entries(summaries).map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "effect-arta <command> --help lists the options of a command. Each of them also takes",
    "--wizard, to be asked for its options, and --log-level, for instance debug.",
    "effect-arta --completions bash (or fish, sh, zsh) prints completions for a shell."
  ].join("\n")
