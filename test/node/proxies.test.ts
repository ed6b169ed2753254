import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { faultServer, respond } from "../support/faultServer.js"
import { tcpServer } from "../support/tcpServer.js"
import { submit } from "../support/withSession.js"
import { withVariables } from "../support/withVariables.js"

/** Refuses every request, so nothing is repeated. */
const proxy = tcpServer((socket) =>
  socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
)

const urlOf = ({ port }: { readonly port: number }, user = "") => `http://${user}127.0.0.1:${String(port)}`

const none = { http_proxy: undefined, HTTP_PROXY: undefined, https_proxy: undefined, HTTPS_PROXY: undefined }

const submitTo = (apiUrl: string, variables: Readonly<Record<string, string | undefined>>) =>
  withVariables({ ...none, no_proxy: undefined, NO_PROXY: undefined, ...variables }, Effect.exit(submit({ apiUrl })))

const authorization = (user: string) => `proxy-authorization: basic ${Buffer.from(user).toString("base64")}`

// Not concurrent: the environment belongs to the process.
describe("The proxies of the environment", () => {
  it.scopedLive("get the requests of their scheme, each with its own user", () =>
    Effect.gen(function* () {
      const [plain, tunnels] = [yield* proxy, yield* proxy]
      const variables = { HTTP_PROXY: urlOf(plain, "a:1@"), HTTPS_PROXY: urlOf(tunnels, "b:2@") }
      yield* submitTo("http://arta.invalid/api", variables)
      yield* submitTo("https://arta.invalid/api", variables)
      expect(plain.received).toHaveLength(1)
      expect(plain.received[0]).toMatch(/^POST http:\/\/arta\.invalid\/api\/text2image /)
      expect(plain.received[0]).toMatch(new RegExp(authorization("a:1"), "i"))
      expect(tunnels.received).toHaveLength(1)
      expect(tunnels.received[0]).toMatch(/^CONNECT arta\.invalid:443 /)
      expect(tunnels.received[0]).toMatch(new RegExp(authorization("b:2"), "i"))
    })
  )

  it.scopedLive("include HTTP_PROXY for https, without HTTPS_PROXY", () =>
    Effect.gen(function* () {
      const plain = yield* proxy
      yield* submitTo("https://arta.invalid/api", { HTTP_PROXY: urlOf(plain) })
      expect(plain.received[0]).toMatch(/^CONNECT arta\.invalid:443 /)
      expect(plain.received[0]).not.toMatch(/authorization/i)
    })
  )

  it.scopedLive("do not include HTTPS_PROXY for http", () =>
    Effect.gen(function* () {
      const tunnels = yield* proxy
      const { requests, url } = yield* faultServer({ "/": [respond(404)] })
      yield* submitTo(`${url}/api`, { HTTPS_PROXY: urlOf(tunnels) })
      expect(requests).toHaveLength(1)
      expect(tunnels.received).toEqual([])
    })
  )

  it.scopedLive.each(["no_proxy", "NO_PROXY"])("are not used for the hosts in %s", (name) =>
    Effect.gen(function* () {
      const plain = yield* proxy
      const { requests, url } = yield* faultServer({ "/": [respond(404)] })
      yield* submitTo(`${url}/api`, { HTTP_PROXY: urlOf(plain), [name]: "elsewhere.test,  127.0.0.1" })
      expect(requests).toHaveLength(1)
      expect(plain.received).toEqual([])
    })
  )

  it.scopedLive("are named in lower case first, and an empty one switches off the other", () =>
    Effect.gen(function* () {
      const [lower, upper] = [yield* proxy, yield* proxy]
      yield* submitTo("http://arta.invalid/api", { http_proxy: urlOf(lower), HTTP_PROXY: urlOf(upper) })
      expect(lower.received).toHaveLength(1)

      const { requests, url } = yield* faultServer({ "/": [respond(404)] })
      yield* submitTo(`${url}/api`, { http_proxy: "", HTTP_PROXY: urlOf(upper) })
      expect(requests).toHaveLength(1)
      expect(upper.received).toEqual([])
    })
  )
})
