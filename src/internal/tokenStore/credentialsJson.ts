import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Credentials } from "../../Credentials.js"
import { SignedUp } from "../signUpResponse.js"

const Stored = Schema.Struct({ version: Schema.Literal(1), ...Credentials.fields })

// What has a version is ours, and must not be taken for the Python client's because it is damaged.
const OfPython = Schema.Struct({ ...SignedUp.fields, version: Schema.optional(Schema.Undefined) })

const Readable = Schema.parseJson(Schema.Union(Stored, OfPython))

const encode = Schema.encodeSync(Credentials)
const decodeReadable = Schema.decodeUnknownOption(Readable)

export const toJson = (credentials: Credentials): string => JSON.stringify({ version: 1, ...encode(credentials) })

/** Reads our own format and the Python client's, whose age is only known from when it was written. */
export const fromJson = (text: string, writtenAt: number): Option.Option<Credentials> =>
  Option.map(decodeReadable(text), (stored) => new Credentials({ issuedAt: writtenAt, ...stored }))
