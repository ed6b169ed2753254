export const purpose = "Turn prompts into images through the ARTA API."

/** What each command does, in one sentence. */
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

/** The help of `effect-arta` itself. The one of `@effect/cli` lists every option of every command in overlong lines. */
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
    "effect-arta <command> --help lists the options of a command. Every command also takes",
    "--wizard, which prompts for the options, and --log-level, for example debug.",
    "effect-arta --completions bash (or fish, sh, zsh) prints the completions for a shell."
  ].join("\n")
