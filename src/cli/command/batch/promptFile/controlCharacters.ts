import type { Problem } from "./problems.js"

const controlCharacter = /[^\P{Cc}\t\n\r]/gu

const nameOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`

/** A problem for each control character of a text. No prompt has one, but binary files do. */
export const findControlCharacters = (text: string): ReadonlyArray<Problem> =>
  text.split(/\r\n|\n|\r/).flatMap((line, index) =>
    [...line.matchAll(controlCharacter)].map((match) => ({
      place: { line: index + 1, character: Array.from(line.slice(0, match.index)).length + 1 },
      message: `The control character ${nameOf(match[0])}.`,
      advice: "Remove the control characters. If the text is in another encoding, name it with --encoding."
    }))
  )

/** Replaces control characters, so that the rest of a file can be checked too. */
export const replaceControlCharacters = (text: string): string => text.replace(controlCharacter, "\ufffd")
