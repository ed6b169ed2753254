import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { createInterface } from "node:readline"
import { quote } from "shell-quote"
import type { Argument, Command, Flag } from "./command.js"
import { spelled, withoutSecrets } from "./command.js"
import { didYouMean } from "./suggest.js"

/** Asks one question, and returns the line that is typed. Interrupts at the end of the input, and at Ctrl-C. */
type Ask = (question: string) => Effect.Effect<string>

// The terminal of @effect/platform-node 0.108 does not echo what is typed at `readLine`, and drops lines from a pipe.
const openQuestions: Effect.Effect<Ask, never, Scope.Scope> = Effect.gen(function* () {
  const typed = yield* Mailbox.make<string>()
  const lines = yield* Effect.acquireRelease(
    Effect.sync(() => createInterface({ input: process.stdin, output: process.stderr })),
    (lines) =>
      Effect.sync(() => {
        lines.close()
      })
  )
  const isOpen = MutableRef.make(true)
  lines.on("line", (line) => typed.unsafeOffer(line))
  lines.on("close", () => {
    MutableRef.set(isOpen, false)
    typed.unsafeDone(Exit.void)
  })
  return (question) =>
    Effect.zipRight(
      // The lines of a pipe may be there before the questions are asked. In Node 24, a closed interface has no prompt.
      Effect.sync(() => {
        if (isOpen.current) {
          lines.setPrompt(question)
          lines.prompt()
        } else {
          process.stderr.write(question)
        }
      }),
      Effect.orElse(typed.take, () => Effect.interrupt)
    )
})

/** Asks again until the reply can be read. The left side says why it cannot. */
const askUntil = <A>(ask: Ask, question: string, read: (typed: string) => Either.Either<A, string>): Effect.Effect<A> =>
  Effect.flatMap(ask(question), (typed) =>
    Either.match(read(typed.trim()), {
      onLeft: (problem) => Effect.zipRight(Console.error(problem), askUntil(ask, question, read)),
      onRight: Effect.succeed
    })
  )

const askYesOrNo = (ask: Ask, question: string, byDefault: boolean): Effect.Effect<boolean> =>
  askUntil(ask, `${question} [${byDefault ? "Y/n" : "y/N"}] `, (typed) => {
    if (typed === "") return Either.right(byDefault)
    return /^(y|yes|n|no)$/i.test(typed) ? Either.right(/^y/i.test(typed)) : Either.left("Type y or n.")
  })

const askCommand = (ask: Ask, commands: ReadonlyArray<Command>): Effect.Effect<Command> => {
  const names = commands.map(({ name }) => name)
  return askUntil(ask, `Command (${names.join(", ")}) [generate]: `, (typed) => {
    const chosen = commands.find(({ name }) => name === (typed === "" ? "generate" : typed))
    return chosen === undefined
      ? Either.left(`${JSON.stringify(typed)} is no command. ${didYouMean(typed, names, "Type one of them.")}`)
      : Either.right(chosen)
  })
}

const askArgument = (ask: Ask, { decode, isRequired, summary, value }: Argument<unknown>) =>
  askUntil(ask, `${value.placeholder} (${summary})${isRequired ? "" : " [none]"}: `, (typed) => {
    if (typed === "") return isRequired ? Either.left("A value is required.") : Either.right([])
    return Either.mapBoth(decode(Option.some(typed)), {
      onLeft: (expected) => `${value.placeholder} must be ${expected}.`,
      onRight: () => [typed]
    })
  })

const askFlag = (ask: Ask, flag: Flag<unknown>): Effect.Effect<ReadonlyArray<string>> =>
  flag.value === undefined
    ? Effect.map(askYesOrNo(ask, `  ${flag.summary}?`, false), (isOn) => (isOn ? [spelled(flag)] : []))
    : askUntil(ask, `  ${spelled(flag)} (${flag.summary}) [${flag.byDefault ?? "none"}]: `, (typed) => {
        if (typed === "") return Either.right([])
        return Either.mapBoth(flag.decode(Option.some(typed)), {
          onLeft: (expected) => `${spelled(flag)} must be ${expected}.`,
          onRight: () => (typed.startsWith("-") ? [`${spelled(flag)}=${typed}`] : [spelled(flag), typed])
        })
      })

const askGroup = (ask: Ask, flags: ReadonlyArray<Flag<unknown>>, group: string) =>
  Effect.flatMap(askYesOrNo(ask, `Change ${group} options (${flags.map(spelled).join(", ")})?`, false), (isYes) =>
    isYes
      ? Effect.map(
          Effect.forEach(flags, (flag) => askFlag(ask, flag)),
          (words) => words.flat()
        )
      : Effect.succeed([])
  )

const groupsOf = ({ flags }: Command): ReadonlyArray<string> => [...new Set(flags.map(({ group }) => group ?? "other"))]

/** Asks for the words of a command line. None: it is not to be run. */
export const wizard = (
  chosen: Option.Option<Command>,
  commands: ReadonlyArray<Command>
): Effect.Effect<Option.Option<ReadonlyArray<string>>> =>
  Effect.gen(function* () {
    const ask = yield* openQuestions
    yield* Console.error("Press Enter to take the value in brackets. Ctrl-C quits.")
    const command = yield* Option.match(chosen, { onNone: () => askCommand(ask, commands), onSome: Effect.succeed })
    yield* Console.error(command.summary)
    const words = (yield* Effect.forEach(command.args, (argument) => askArgument(ask, argument))).flat()
    const flags = (yield* Effect.forEach(groupsOf(command), (group) =>
      askGroup(
        ask,
        command.flags.filter((flag) => (flag.group ?? "other") === group),
        group.toLowerCase()
      )
    )).flat()
    const hyphens = words.some((word) => word.startsWith("-") && word !== "-")
    const args = [...command.name.split(" "), ...(hyphens ? [...flags, "--", ...words] : [...words, ...flags])]
    yield* Console.error(quote(["effect-arta", ...withoutSecrets(args, command.flags)]))
    return (yield* askYesOrNo(ask, "Run it?", true)) ? Option.some(args) : Option.none()
  }).pipe(Effect.scoped)
