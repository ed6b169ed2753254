import { describe, expect, it } from "@effect/vitest"
import { explainConnection } from "../../../src/cli/shared/database/connectionFailures.js"

const explained = (failure: unknown) => explainConnection("postgres://host/db", failure)

const failure = (code: unknown, message = "s3cret") => Object.assign(new Error(message), { code })

describe("The failure of a connection to a database", () => {
  it.each([
    ["ENOTFOUND", "The database server cannot be reached: postgres://host/db. Check the name of the host."],
    ["EHOSTUNREACH", "The database server cannot be reached: postgres://host/db. Check the network and the host."],
    ["EX\u001bX", "The database cannot be used (EX\\u001bX): postgres://host/db. Check the URL and the server."]
  ])("is explained by its code: %j", (code, text) => {
    expect(explained(failure(code))).toBe(text)
    // The addresses of a host may fail in different ways.
    expect(explained(new AggregateError([failure(code), failure("ETIMEDOUT")], "s3cret"))).toBe(text)
    expect(explained(Object.assign(new AggregateError([failure("X")]), { code }))).toBe(text)
  })

  it.each([
    [
      "unable to verify the first certificate",
      "The certificate of the database server is not trusted: postgres://host/db. Name its authority in the URL: ?sslrootcert=FILE."
    ],
    [
      "timeout expired",
      "The database server cannot be reached: postgres://host/db. Check the host, the port and the firewall."
    ]
  ])("is explained by its text: %s", (message, text) => {
    expect(explained(new Error(message))).toBe(text)
    expect(explained(failure(undefined, message))).toBe(text)
  })

  it.each([
    [new Error("s3cret")],
    [failure(42)],
    ["s3cret"],
    [{ code: "ENOTFOUND" }],
    [undefined],
    [new AggregateError([])]
  ])("is not repeated if nothing is known of it: %s", (cause) => {
    expect(explained(cause)).toBe("The database cannot be used: postgres://host/db. Check the URL and the server.")
  })
})
