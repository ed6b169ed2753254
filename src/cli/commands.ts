import { command, onOff, optionalArgument, required } from "./commandLine/command.js"
import * as Value from "./commandLine/value.js"
import { databaseOptions, runnerOptions, sharedBatchOptions } from "./shared/database/databaseOptions.js"
import {
  batchOptions,
  imageOptions,
  jsonOptions,
  limitOptions,
  mcpOptions,
  nameOptions,
  outputOptions,
  port,
  quietOptions,
  saveOptions,
  serviceOptions,
  watchFlags
} from "./shared/options.js"
import { serverOptions } from "./shared/serverOptions.js"
import { confirmationOptions, promptFileOptions } from "./shared/promptFileOptions.js"

const generate = command({
  name: "generate",
  summary: "Generate images from a prompt.",
  examples: ["effect-arta generate 'a lighthouse at dawn' -m flux -n 2", "effect-arta generate 'a fox' --emulator"],
  args: {
    prompt: required(Value.text("PROMPT"), { summary: "What to generate. - reads it from standard input" })
  },
  flags: { ...imageOptions, ...limitOptions, ...nameOptions, ...saveOptions, ...serviceOptions },
  run: (input) => ({
    load: () => import("./command/generate.js").then(({ generate }) => generate(input)),
    watchFlags: watchFlags(input)
  })
})

const watch = command({
  name: "watch",
  summary: "Resume a generation that was submitted before.",
  examples: ["effect-arta watch 0190a7e4-5b1c -o images"],
  args: {
    recordId: required(Value.text("RECORD_ID"), { summary: "The record id that generate printed" })
  },
  flags: { ...saveOptions, ...serviceOptions },
  run: (input) => ({
    load: () => import("./command/watch.js").then(({ watch }) => watch(input)),
    watchFlags: watchFlags(input)
  })
})

const batch = command({
  name: "batch",
  summary: "Generate images for a file of prompts, or resume it.",
  examples: ["effect-arta batch prompts.csv", "effect-arta batch prompts.txt -o images -c 8"],
  args: {
    file: required(Value.existingFile("FILE"), {
      summary: "A .txt, .csv, .tsv, .json or .jsonl file, or -"
    })
  },
  flags: {
    ...promptFileOptions,
    ...imageOptions,
    ...limitOptions,
    ...batchOptions,
    ...sharedBatchOptions,
    ...nameOptions,
    ...quietOptions,
    ...confirmationOptions,
    ...outputOptions,
    ...jsonOptions,
    ...serviceOptions
  },
  run: (input) => ({ load: () => import("./command/batch/batch.js").then(({ batch }) => batch(input)) })
})

const runner = command({
  name: "runner",
  summary: "Run the rows of the batches in a database, until stopped.",
  examples: ["effect-arta runner --database postgres://db.example/images", "effect-arta runner -c 64"],
  args: {},
  flags: { ...databaseOptions, ...runnerOptions, ...serviceOptions },
  run: (input) => ({ load: () => import("./command/runner.js").then(({ runner }) => runner(input)) })
})

const status = command({
  name: "status",
  summary: "Show where the batches in a database stand.",
  examples: ["effect-arta status", "effect-arta status prompts --watch", "effect-arta status --serve"],
  args: { batch: optionalArgument(Value.text("BATCH"), { summary: "The name of a batch, or its start" }) },
  flags: {
    ...databaseOptions,
    watch: onOff("watch", { summary: "Print each change, until no row is open" }),
    ...jsonOptions,
    serve: onOff("serve", { summary: "Serve a page that follows the batches" }),
    port,
    emulator: serviceOptions.emulator
  },
  run: (input) => ({ load: () => import("./command/status/status.js").then(({ status }) => status(input)) })
})

const retry = command({
  name: "retry",
  summary: "Submit rows again that the service may have accepted.",
  examples: ["effect-arta retry prompts --unknown"],
  args: { batch: required(Value.text("BATCH"), { summary: "The name of a batch, or its start" }) },
  flags: {
    unknown: onOff("unknown", { summary: "The rows that are unknown. They may be paid twice" }),
    yes: onOff("yes", { summary: "Do not ask" }),
    ...databaseOptions,
    emulator: serviceOptions.emulator
  },
  run: (input) => ({ load: () => import("./command/retry.js").then(({ retry }) => retry(input)) })
})

const gallery = command({
  name: "gallery",
  summary: "Write a page that shows the images in a directory.",
  examples: ["effect-arta gallery images", "effect-arta gallery images --serve"],
  args: { directory: required(Value.existingDirectory("DIR"), { summary: "A directory of images" }) },
  flags: { serve: onOff("serve", { summary: "Serve the page on this machine, and follow the directory" }), port },
  run: (input) => ({ load: () => import("./command/gallery/gallery.js").then(({ gallery }) => gallery(input)) })
})

const serve = command({
  name: "serve",
  summary: "Serve images to programs that use OpenAI's API.",
  examples: ["effect-arta serve", "effect-arta serve --emulator --port 8080"],
  args: {},
  flags: serverOptions,
  run: (input) => ({ load: () => import("./command/serve/serve.js").then(({ serve }) => serve(input)) })
})

const models = command({
  name: "models",
  summary: "List the models and their aliases.",
  examples: ["effect-arta models anime", "effect-arta models --json"],
  args: { filter: optionalArgument(Value.text("FILTER"), { summary: "Words of an alias or a model" }) },
  flags: jsonOptions,
  run: (input) => ({ load: () => import("./command/models.js").then(({ models }) => models(input)) })
})

const account = command({
  name: "account",
  summary: "Show the account, when its token expires, and its file.",
  args: {},
  flags: {},
  run: () => ({ load: () => import("./command/account.js").then(({ account }) => account) })
})

const renew = command({
  name: "account renew",
  summary: "Refresh the token of the account, or sign up.",
  args: {},
  flags: {},
  run: () => ({ load: () => import("./command/account.js").then(({ renew }) => renew) })
})

const signOut = command({
  name: "account sign-out",
  summary: "Delete the session stored on this machine.",
  args: {},
  flags: {},
  run: () => ({ load: () => import("./command/account.js").then(({ signOut }) => signOut) })
})

const emulator = command({
  name: "emulator",
  summary: "Serve the built-in emulator to programs on this machine.",
  examples: ["effect-arta emulator --port 8080"],
  args: {},
  flags: { port },
  run: (input) => ({ load: () => import("./command/emulator.js").then(({ emulator }) => emulator(input)) })
})

const mcp = command({
  name: "mcp",
  summary: "Let AI assistants generate images over MCP.",
  examples: ["effect-arta mcp --directory images", "effect-arta mcp --http 8787 --emulator"],
  args: {},
  flags: { ...mcpOptions, ...serviceOptions },
  run: (input) => ({ load: (version) => import("./command/mcp/mcp.js").then(({ mcp }) => mcp(input, version)) })
})

export const commands = [
  generate,
  watch,
  batch,
  runner,
  status,
  retry,
  gallery,
  models,
  account,
  renew,
  signOut,
  serve,
  emulator,
  mcp
]
