import { printable } from "../printable.js"

interface Explanation {
  readonly problem: string
  readonly remedy: string
}

const unreachable = (remedy: string): Explanation => ({ problem: "The database server cannot be reached", remedy })

const unknownHost = unreachable("Check the name of the host")

const refusedUser: Explanation = {
  problem: "The database server refused the user or the password",
  remedy: "Check both. In the URL, write special characters as %40 for @, %23 for #, and %2F for /"
}

/** By the code of the operating system or of PostgreSQL. */
const explanations: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: unreachable("Start it, or check the host and the port"),
  ECONNRESET: unreachable("Check the host, the port, and whether it requires TLS: ?sslmode=require"),
  ENOENT: unreachable("There is no socket in this directory. Start it, or check the host"),
  EACCES: unreachable("You may not use its socket. Ask its administrator"),
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  EHOSTUNREACH: unreachable("Check the network and the host"),
  ENETUNREACH: unreachable("Check the network and the host"),
  ETIMEDOUT: unreachable("Check the host, the port and the firewall"),
  "28P01": refusedUser,
  "28000": refusedUser,
  "3D000": {
    problem: "The server has no database of this name",
    remedy: "Create it with createdb, or correct the name"
  },
  "42501": {
    problem: "The user may not use this database",
    remedy: "Ask its administrator for the permission to create tables"
  },
  "53300": { problem: "The database server has no free connection", remedy: "Stop other programs, or raise its limit" },
  "57P03": { problem: "The database server is starting or stopping", remedy: "Try again in a moment" }
}

const texts: ReadonlyArray<readonly [RegExp, Explanation]> = [
  [/terminated unexpectedly/i, { problem: "The server closed the connection", remedy: "Check the host and the port" }],
  [/timed? ?out|timeout/i, unreachable("Check the host, the port and the firewall")],
  [/password must be a string/i, { problem: "The database server asks for a password", remedy: "Add it to the URL" }],
  [
    /does not support SSL/i,
    { problem: "The database server does not support TLS", remedy: "Remove sslmode from the URL" }
  ],
  [
    /certificate/i,
    {
      problem: "The certificate of the database server is not trusted",
      remedy: "Name its authority in the URL: ?sslrootcert=FILE"
    }
  ]
]

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

// Node reports a host with several addresses as one error with a list.
const firstOf = (cause: unknown): unknown =>
  cause instanceof AggregateError && codeOf(cause) === "" ? (cause.errors as ReadonlyArray<unknown>)[0] : cause

/** Why a database cannot be used, and what to do. Repeats nothing that the server says: it may contain the user. */
export const explainConnection = (shown: string, failure: unknown): string => {
  const cause = firstOf(failure)
  const code = codeOf(cause)
  const text = cause instanceof Error ? cause.message : ""
  const { problem, remedy } = explanations[code] ??
    texts.find(([pattern]) => pattern.test(text))?.[1] ?? {
      problem: `The database cannot be used${code === "" ? "" : ` (${printable(code)})`}`,
      remedy: "Check the URL and the server"
    }
  return `${problem}: ${shown}. ${remedy}.`
}
