import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Option } from "effect"
import * as Command from "../../../src/cli/commandLine/command.js"
import { interpret } from "../../../src/cli/commandLine/interpret.js"
import * as Value from "../../../src/cli/commandLine/value.js"
import { commands } from "../../../src/cli/commands.js"

const optionalUrl = Value.omittable(Value.text("URL"), (word) => word.includes(":"))

/** Runs a command line of a command with a flag of each kind, and returns what the command received. */
const received = (args: ReadonlyArray<string>): Either.Either<unknown, string> => {
  let input: unknown
  const paint = Command.command({
    name: "paint",
    summary: "Paint.",
    args: { prompt: Command.required(Value.text("PROMPT"), { summary: "What to paint" }) },
    flags: {
      model: Command.optional("model", Value.text("MODEL"), { alias: "m", summary: "The model" }),
      n: Command.optional("n", Value.integer("N"), { summary: "How many" }),
      seed: Command.optional("seed", Value.integer("N"), { summary: "The seed" }),
      guidance: Command.withDefault("guidance", Value.number("X"), 7, { summary: "How close" }),
      negative: Command.optional("negative", Value.text("TEXT"), { summary: "What to avoid" }),
      json: Command.onOff("json", { alias: "j", summary: "JSON" }),
      store: Command.optional("store", optionalUrl, { summary: "The store" }),
      key: Command.optional("key", Value.secret("KEY"), { summary: "The key" })
    },
    run: (given) => {
      input = given
      return { load: () => Promise.resolve(Effect.void) }
    }
  })
  return Either.map(interpret(args, [paint]), () => input)
}

const none = {
  model: Option.none(),
  n: Option.none(),
  seed: Option.none(),
  guidance: 7,
  negative: Option.none(),
  json: false,
  store: Option.none(),
  key: Option.none()
}

describe("A command line", () => {
  it.each([
    { args: ["-n2"], means: { n: Option.some(2) } },
    { args: ["-n=2"], means: { n: Option.some(2) } },
    { args: ["-n", "2"], means: { n: Option.some(2) } },
    { args: ["--n", "2"], means: { n: Option.some(2) } },
    { args: ["--n=2"], means: { n: Option.some(2) } },
    { args: ["-m=flux"], means: { model: Option.some("flux") } },
    { args: ["-mflux"], means: { model: Option.some("flux") } },
    { args: ["--model=a=b"], means: { model: Option.some("a=b") } },
    { args: ["--model==a"], means: { model: Option.some("=a") } },
    { args: ["-ma=b"], means: { model: Option.some("a=b") } },
    { args: ["--negative="], means: { negative: Option.some("") } },
    { args: ["--negative", ""], means: { negative: Option.some("") } },
    { args: ["--negative", "-blurry"], means: { negative: Option.some("-blurry") } },
    { args: ["--negative=--seed"], means: { negative: Option.some("--seed") } },
    { args: ["--seed=-1"], means: { seed: Option.some(-1) } },
    { args: ["--seed", "-1"], means: { seed: Option.some(-1) } },
    { args: ["--guidance", "7.5"], means: { guidance: 7.5 } },
    { args: ["--seed=+12"], means: { seed: Option.some(12) } },
    { args: ["--guidance=.5"], means: { guidance: 0.5 } },
    { args: ["--guidance=-10.25"], means: { guidance: -10.25 } },
    { args: ["--guidance=10."], means: { guidance: 10 } },
    { args: ["--store"], means: { store: Option.some("") } },
    { args: ["--store", "db:1"], means: { store: Option.some("db:1") } },
    { args: ["--json"], means: { json: true } },
    { args: ["--json=false"], means: { json: false } },
    { args: ["-jn2"], means: { json: true, n: Option.some(2) } },
    { args: ["--seed", "1", "--seed", "2"], means: { seed: Option.some(2) } }
  ])("reads $args before and after the argument", ({ args, means }) => {
    const expected = Either.right({ prompt: "a fox", ...none, ...means })
    expect(received(["paint", ...args, "a fox"])).toEqual(expected)
    expect(received(["paint", "a fox", ...args])).toEqual(expected)
    expect(received(["paint", ...args, "--", "a fox"])).toEqual(expected)
  })

  it.each(["-", "--seed", "-n2", "--store", "paint", "help", ""])("takes %j after -- as the argument", (prompt) => {
    expect(received(["paint", "--", prompt])).toEqual(Either.right({ prompt, ...none }))
  })

  it.each(["paint", "help", "-"])("takes the argument %j without --", (prompt) => {
    expect(received(["paint", prompt])).toEqual(Either.right({ prompt, ...none }))
  })

  it.each([
    { args: ["-n", "two"], says: '-n must be a whole number such as 7, not "two".' },
    { args: ["-n", "1.5"], says: '-n must be a whole number such as 7, not "1.5".' },
    { args: ["-n", "1e3"], says: '-n must be a whole number such as 7, not "1e3".' },
    { args: ["-n", "0x10"], says: '-n must be a whole number such as 7, not "0x10".' },
    { args: ["-n7th"], says: '-n must be a whole number such as 7, not "7th".' },
    { args: ["-n="], says: '-n must be a whole number such as 7, not "".' },
    { args: ["--guidance", "high"], says: '--guidance must be a number such as 7.5, not "high".' },
    { args: ["--guidance", "7.5x"], says: '--guidance must be a number such as 7.5, not "7.5x".' },
    { args: ["--guidance", "x7.5"], says: '--guidance must be a number such as 7.5, not "x7.5".' },
    { args: ["--guidance", "."], says: '--guidance must be a number such as 7.5, not ".".' },
    { args: ["--json=maybe"], says: '--json must be given without a value, not "maybe".' },
    { args: ["-m"], says: "-m needs a value: -m MODEL" },
    {
      args: ["-m", "--json"],
      says: "-m needs a value: -m MODEL. To pass --json as its value, write -m=--json"
    },
    { args: ["-m", "-n"], says: "-m needs a value: -m MODEL. To pass -n as its value, write -m=-n" },
    { args: ["-m", "-j"], says: "-m needs a value: -m MODEL. To pass -j as its value, write -m=-j" },
    { args: ["--sed", "7"], says: "--sed is no option of paint. Did you mean --seed?" },
    { args: ["--negative-prompt=x"], says: "--negative-prompt is no option of paint. Did you mean --negative?" },
    { args: ["-seed", "7"], says: "-seed is no option of paint. Did you mean --seed?" },
    { args: ["-model", "flux"], says: "-model is no option of paint. Did you mean --model?" },
    { args: ["--Seed", "7"], says: "--Seed is no option of paint. Did you mean --seed?" },
    { args: ["--size", "7"], says: "--size is no option of paint. See its options: effect-arta paint --help" },
    { args: ["--log-level", "loud"], says: /^--log-level must be one of all, .*, none\.$/ },
    { args: ["on", "a hill"], says: "PROMPT must be one argument. Quote it: effect-arta paint 'a fox on a hill'" },
    {
      args: ["on", "--key", "secret", "-n2", "--key=secret"],
      says: "PROMPT must be one argument. Quote it: effect-arta paint 'a fox on' --key KEY -n2 --key\\=KEY"
    }
  ])("with $args is refused in a sentence", ({ args, says }) => {
    const problem = received(["paint", "a fox", ...args]).pipe(Either.flip, Either.getOrThrow)
    expect(problem).toEqual(typeof says === "string" ? says : expect.stringMatching(says))
  })

  it("without its argument is refused with an example", () => {
    expect(received(["paint", "-n2"])).toEqual(Either.left("PROMPT is missing. For example: effect-arta paint PROMPT"))
  })
})

describe("The flags of every command", () => {
  const asked = (args: ReadonlyArray<string>) => Either.getOrThrow(interpret(args, commands))
  const batch = expect.objectContaining({ value: expect.objectContaining({ name: "batch" }) as unknown }) as unknown

  it.each([
    ["--log-level", "debug", "models"],
    ["models", "--log-level", "debug"],
    ["models", "--log-level=debug"]
  ])("set the log level: %s %s %s", (...args) => {
    expect(asked(args)).toMatchObject({ _tag: "Run", logLevel: Option.some("debug") })
  })

  it.each([[["--wizard"], Option.none()] as const, [["batch", "--wizard"], batch] as const])(
    "ask for the rest: %j",
    (args, command) => {
      expect(asked(args)).toEqual({ _tag: "Wizard", command })
    }
  )

  it.each([[["--help"], Option.none()] as const, [["batch", "-h", "--sed"], batch] as const])(
    "ask for help: %j",
    (args, command) => {
      expect(asked([...args, "--version", "--wizard"])).toEqual({ _tag: "Help", command })
    }
  )
})

describe("A port", () => {
  const portOf = (port: string) => interpret(["emulator", `--port=${port}`], commands)

  it.each(["0", "65535"])("may be %s", (port) => {
    expect(portOf(port)).toSatisfy(Either.isRight)
  })

  it.each(["-1", "65536"])("cannot be %s", (port) => {
    expect(portOf(port)).toEqual(Either.left(`--port must be a port from 0 to 65535, not "${port}".`))
  })
})
