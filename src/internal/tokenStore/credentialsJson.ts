import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Credentials } from "../../Credentials.js"
import { SignedUp } from "../signUpResponse.js"

// Not a literal: a union that contains one calls `String` on the input, which throws on `{"toString":null}` (effect
// 3.22).
const Version = Schema.Number.pipe(Schema.filter((version) => version === 1))

const Stored = Schema.Struct({ version: Version, ...Credentials.fields })

// Text with a version is ours: even if damaged, it must not pass for the Python client's.
const PythonCredentials = Schema.Struct({ ...SignedUp.fields, version: Schema.optional(Schema.Undefined) })

const Readable = Schema.parseJson(Schema.Union(Stored, PythonCredentials))

const encode = Schema.encodeSync(Credentials)
const decodeReadable = Schema.decodeUnknownOption(Readable)

export const toJson = (credentials: Credentials): string => JSON.stringify({ version: 1, ...encode(credentials) })

/** Reads our own format and the Python client's, which has no date: its file's modification time stands in. */
export const fromJson = (text: string, writtenAt: number): Option.Option<Credentials> =>
  Option.map(decodeReadable(text), (stored) => new Credentials({ issuedAt: writtenAt, ...stored }))
