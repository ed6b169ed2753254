import * as Either from "effect/Either"
import type { Field } from "./columns.js"
import { shown } from "./problems.js"

/** The value of an option. None of them: undefined. `"random"`: a random seed, even if a flag gives another. */
export type Value = string | number | ReadonlyArray<unknown> | undefined

/** What a value must be, and why it is not. */
type Checked = Either.Either<Value, string>

const integers: ReadonlySet<Field> = new Set<Field>(["seed", "numInferenceSteps", "n", "width", "height"])

/** Why a text is no number. */
const notANumber = (text: string, example: string): string => {
  if (/^[+-]?[\d.,]+e[+-]?\d+$/i.test(text)) {
    return `${shown(text)} is a rounded number, as spreadsheets shorten long ones. Write all of its digits.`
  }
  if (text.endsWith("%")) return `${shown(text)} is a percentage. Write a plain number such as ${example}.`
  if (/^[+-]?\d+([.,'’\s]\d+)+$/.test(text)) {
    return `${shown(text)} may have separators. Write digits only, such as ${example}.`
  }
  return `${shown(text)} is not a number. Write digits, such as ${example}.`
}

/** Digits as written. One `.0` is what data frames write for an integer in a column with gaps. */
const toInteger = (text: string): Checked => {
  if (!/^-?\d+(\.0)?$/.test(text)) return Either.left(notANumber(text, "20"))
  const number = Number(text)
  return Number.isSafeInteger(number) ? Either.right(number) : Either.left(`${shown(text)} is too large.`)
}

const toDecimal = (text: string, decimalComma: boolean): Checked => {
  if (/^-?(\d+(\.\d+)?|\.\d+)$/.test(text)) return Either.right(Number(text))
  if (!/^-?\d+,\d+$/.test(text)) return Either.left(notANumber(text, "7.5"))
  return decimalComma
    ? Either.right(Number(text.replace(",", ".")))
    : Either.left(`${shown(text)} has a decimal comma. Write ${text.replace(",", ".")}.`)
}

const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other))

// The usual names of these two are not reduced.
const usualRatios: Readonly<Record<string, string>> = { "7:3": "21:9", "3:7": "9:21" }

/** The aspect ratio of a size in pixels: 512 x 768 is 2:3. */
export const ratioOf = (width: number, height: number): string => {
  const common = divisor(width, height)
  const ratio = `${String(width / common)}:${String(height / common)}`
  return usualRatios[ratio] ?? ratio
}

const toAspectRatio = (text: string): Checked => {
  if (/^[1-9]\d*:[1-9]\d*$/.test(text)) return Either.right(text)
  const [, width = "0", height = "0"] = /^(\d{1,6})\s*[x×*]\s*(\d{1,6})$/iu.exec(text) ?? []
  if (Number(width) > 0 && Number(height) > 0) return Either.right(ratioOf(Number(width), Number(height)))
  const time = /^0*([1-9]\d*):0*([1-9]\d*)(:00)?( ?[ap]m)?$/i.exec(text)
  return Either.left(
    time === null
      ? `${shown(text)} is not an aspect ratio. Write width:height, such as 16:9, or a size such as 1024x768.`
      : `${shown(text)} is a time of day: a spreadsheet changed the ratio. ` +
          `Format the column as text and write ${String(time[1])}:${String(time[2])}.`
  )
}

const fromText = (field: Field, text: string, decimalComma: boolean): Checked => {
  if (field === "seed" && text === "-1") return Either.right("random")
  if (integers.has(field)) return toInteger(text)
  if (field === "guidanceScale") return toDecimal(text, decimalComma)
  return field === "aspectRatio" ? toAspectRatio(text) : Either.right(text)
}

// Escaped in JSON, they pass the check of the file's text.
const controlCharacter = /[^\P{Cc}\t\n\r]/u

const checkText = (field: Field, text: string, decimalComma: boolean): Checked => {
  if (controlCharacter.test(text)) return Either.left(`${shown(text)} has control characters. Remove them.`)
  if (text.trim() !== "") {
    return fromText(
      field,
      field === "prompt" || field === "negativePrompt" || field === "model" ? text : text.trim(),
      decimalComma
    )
  }
  if (field === "prompt") return Either.left("The prompt is empty.")
  return Either.right(field === "negativePrompt" ? "" : undefined)
}

/** Reads a value of a row as a field. Null and undefined leave the field out, as does an empty text for most fields. */
export const cellValue = (field: Field, value: unknown, decimalComma: boolean): Checked => {
  if (value === undefined || value === null) return Either.right(undefined)
  if (field === "messages") {
    return Array.isArray(value) ? Either.right(value) : Either.left(`${shown(value)} is not a list of messages.`)
  }
  if (typeof value === "string") return checkText(field, value, decimalComma)
  const isNumeric = integers.has(field) || field === "guidanceScale"
  if (typeof value === "number" && isNumeric) return fromText(field, String(value), false)
  return Either.left(`${shown(value)} is not a ${isNumeric ? "number" : "text"}.`)
}
