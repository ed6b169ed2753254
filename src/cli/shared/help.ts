/** What the command is for. */
export const purpose = "Turn prompts into images through the ARTA API."

/** What each command does, in a sentence. */
export const summaries = {
  generate: "Draw what a prompt says.",
  watch: "Pick up a generation that was submitted before.",
  batch: "Draw a file of prompts; run again, it goes on where it stopped.",
  gallery: "Write a page that shows the images of a folder.",
  models: "List the models and their aliases.",
  account: "Say who is signed up, for how long, and where that is kept.",
  "account renew": "Get a new token for the account, or sign up where there is none.",
  "account sign-out": "Forget the session on this machine.",
  emulator: "Serve the built-in emulator, for any program of this machine."
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
