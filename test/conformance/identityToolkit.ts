import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import { Context, Effect, Layer, Schema } from "effect"
import type { RequestListener, Server } from "node:http"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { directory } from "./firebaseTools.js"

const project = "conformance"

/** The address of the Identity Toolkit emulator in Firebase's tools. */
export class IdentityToolkit extends Context.Tag("test/IdentityToolkit")<
  IdentityToolkit,
  { readonly origin: string }
>() {}

const emulator = Effect.promise(() => {
  const server = join(directory, "node_modules/firebase-tools/lib/emulator/auth/server.js")
  const { createApp } = createRequire(import.meta.url)(server) as {
    readonly createApp: (projectId: string) => Promise<RequestListener>
  }
  return createApp(project)
})

const listening = (app: RequestListener) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer(app).listen(0, "127.0.0.1", () => {
        resume(Effect.succeed(server))
      })
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

/** Runs in this process, so that tests can set its clock. */
export const layerIdentityToolkit = Layer.scoped(
  IdentityToolkit,
  Effect.map(Effect.flatMap(emulator, listening), (server) => ({
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  }))
)

export const urls = Effect.map(IdentityToolkit, ({ origin }) => ({
  signUpUrl: `${origin}/www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser`,
  newSignUpUrl: `${origin}/identitytoolkit.googleapis.com/v1/accounts:signUp`,
  tokenUrl: `${origin}/securetoken.googleapis.com/v1/token`
}))

const ask = <A, I>(
  method: HttpMethod,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  response: Schema.Schema<A, I>
) =>
  Effect.gen(function* () {
    const { origin } = yield* IdentityToolkit
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    return yield* HttpClientRequest.make(method)(`${origin}${path}`).pipe(
      HttpClientRequest.setHeaders(headers),
      HttpClientRequest.bodyUnsafeJson(body),
      client.execute,
      Effect.flatMap(HttpClientResponse.schemaBodyJson(response))
    )
  })

const administer = <A, I>(method: HttpMethod, path: string, body: unknown, response: Schema.Schema<A, I>) =>
  ask(method, path, { authorization: "Bearer owner" }, body, response)

const accounts = `/identitytoolkit.googleapis.com/v1/projects/${project}/accounts`

export const deleteAllAccounts = administer(
  "DELETE",
  `/emulator/v1/projects/${project}/accounts`,
  {},
  Schema.Struct({})
)

export const deleteAccount = (localId: string) =>
  administer("POST", `${accounts}:delete`, { localId }, Schema.Struct({}))

export const disableAccount = (localId: string) =>
  administer("POST", `${accounts}:update`, { localId, disableUser: true }, Schema.Struct({}))

export const countAccounts = administer(
  "POST",
  `${accounts}:query`,
  { returnUserInfo: false },
  Schema.Struct({ recordsCount: Schema.NumberFromString })
).pipe(Effect.map(({ recordsCount }) => recordsCount))

/** A tenant that does not allow sign-up. */
export const closedTenant = administer(
  "POST",
  `/identitytoolkit.googleapis.com/v2/projects/${project}/tenants`,
  { enableAnonymousUser: false },
  Schema.Struct({ tenantId: Schema.String })
)

/** The account of a token. Fails if the token is invalid. */
export const accountOf = (idToken: string) =>
  ask(
    "POST",
    "/identitytoolkit.googleapis.com/v1/accounts:lookup?key=any",
    {},
    { idToken },
    Schema.Struct({ users: Schema.Tuple(Schema.Struct({ localId: Schema.String })) })
  ).pipe(Effect.map(({ users }) => users[0].localId))
