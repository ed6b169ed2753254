import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import type * as CliApp from "@effect/cli/CliApp"
import * as Options from "@effect/cli/Options"
import type { ValidationError } from "@effect/cli/ValidationError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Ended, Failure, WatchFlags } from "./shared/errors.js"
import { printFailures } from "./shared/errors.js"
import {
  concurrency,
  imageOptions,
  json,
  limitOptions,
  output,
  port,
  saveOptions,
  serviceOptions,
  watchFlags
} from "./shared/options.js"
import { overview, purpose, summaries } from "./shared/help.js"

// A command loads its modules when it runs, so help and completions start fast.
const lazyCommand = <Module, A, R>(
  load: () => Promise<Module>,
  run: (module: Module) => Effect.Effect<A, Failure, R>,
  flags?: WatchFlags
) => printFailures(Effect.flatMap(Effect.promise(load), run), flags)

const prompt = Args.text({ name: "prompt" }).pipe(Args.withDescription("The prompt. - reads it from standard input."))

const generate = Command.make(
  "generate",
  { prompt, ...imageOptions, ...limitOptions, ...saveOptions, ...serviceOptions },
  (input) =>
    lazyCommand(
      () => import("./command/generate.js"),
      (module) => module.generate(input),
      watchFlags(input)
    )
).pipe(Command.withDescription(summaries.generate))

const recordId = Args.text({ name: "record-id" }).pipe(Args.withDescription("The record id of a submitted generation."))

const watch = Command.make("watch", { recordId, ...saveOptions, ...serviceOptions }, (input) =>
  lazyCommand(
    () => import("./command/watch.js"),
    (module) => module.watch(input),
    watchFlags(input)
  )
).pipe(Command.withDescription(summaries.watch))

const file = Args.file({ name: "file", exists: "yes" }).pipe(
  Args.withDescription("A .txt file with one prompt per line, or a .jsonl or .csv file with one request per row.")
)

const retryFailed = Options.boolean("retry-failed").pipe(
  Options.withDescription("Run only the rows that were started and lack images. Submits failed rows again.")
)

const batch = Command.make(
  "batch",
  { file, concurrency, output, retryFailed, json, ...limitOptions, ...serviceOptions },
  (input) =>
    lazyCommand(
      () => import("./command/batch/batch.js"),
      (module) => module.batch(input)
    )
).pipe(Command.withDescription(summaries.batch))

const directory = Args.directory({ name: "dir", exists: "yes" }).pipe(Args.withDescription("A directory of images."))

const gallery = Command.make("gallery", { directory }, (input) =>
  lazyCommand(
    () => import("./command/gallery/gallery.js"),
    (module) => module.gallery(input)
  )
).pipe(Command.withDescription(summaries.gallery))

const models = Command.make("models", { json }, (input) =>
  lazyCommand(
    () => import("./command/models.js"),
    (module) => module.models(input)
  )
).pipe(Command.withDescription(summaries.models))

const renew = Command.make("renew", {}, () =>
  lazyCommand(
    () => import("./command/account.js"),
    (module) => module.renew
  )
).pipe(Command.withDescription(summaries["account renew"]))

const signOut = Command.make("sign-out", {}, () =>
  lazyCommand(
    () => import("./command/account.js"),
    (module) => module.signOut
  )
).pipe(Command.withDescription(summaries["account sign-out"]))

const account = Command.make("account", {}, () =>
  lazyCommand(
    () => import("./command/account.js"),
    (module) => module.account
  )
).pipe(Command.withDescription(summaries.account), Command.withSubcommands([renew, signOut]))

const emulator = Command.make("emulator", { port }, (input) =>
  lazyCommand(
    () => import("./command/emulator.js"),
    (module) => module.emulator(input)
  )
).pipe(Command.withDescription(summaries.emulator))

const effectArta = Command.make("effect-arta").pipe(
  Command.withDescription(purpose),
  Command.withSubcommands([generate, watch, batch, gallery, models, account, emulator])
)

const asksForOverview = ([, , ...args]: ReadonlyArray<string>): boolean =>
  args.length === 0 || (args.length === 1 && ["--help", "-h"].includes(args[0] ?? ""))

/** Runs the command line of a process. */
export const run =
  (version: string) =>
  (args: ReadonlyArray<string>): Effect.Effect<void, Ended | ValidationError, CliApp.CliApp.Environment> =>
    asksForOverview(args)
      ? Console.log(overview(version))
      : Command.run(effectArta, { name: "effect-arta", version })(args)
