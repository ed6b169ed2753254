import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { onDisk, session } from "../support/onDisk.js"
import { unredact } from "../support/unredact.js"
import { makeWitness } from "../support/witness.js"

describe("A token file that is damaged while a program runs", () => {
  it.effect("is replaced by the session that the program has, with a warning that says where the damaged text is", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        const store = yield* open()
        yield* store.save(session("a"))
        yield* fs.writeFileString(file, "nonsense")
        const { layer, shown } = makeWitness()
        expect(unredact(yield* Effect.provide(store.load, layer))).toEqual(unredact(Option.some(session("a"))))
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
        const [, aside = ""] = yield* files
        expect(yield* fs.readFileString(file.replace("credentials.json", aside))).toBe("nonsense")
        expect(shown.join("\n")).toContain(`The session at ${file} is unreadable. It was set aside as`)
        expect(shown.join("\n")).toContain(aside)
      })
    )
  )

  // fault: Store | Another program replaces a damaged token file while it is set aside | the session of that program
  it.effect("keeps the session that another program saves while the damaged text is set aside", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        const other = yield* open()
        const rename: typeof fs.rename = (from, to) =>
          Effect.tap(fs.rename(from, to), () =>
            from === file ? Effect.orDie(other.save(session("theirs"))) : Effect.void
          )
        const store = yield* open({ ...fs, rename })
        yield* store.save(session("ours"))
        yield* fs.writeFileString(file, "nonsense")
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("theirs"))))
        expect(unredact(yield* other.load)).toEqual(unredact(Option.some(session("theirs"))))
      })
    )
  )
})
