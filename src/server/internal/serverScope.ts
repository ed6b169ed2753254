import * as Context from "effect/Context"
import type * as Scope from "effect/Scope"

/** The scope of the server, for what outlives a request. */
export class ServerScope extends Context.Tag("effect-arta/server/ServerScope")<ServerScope, Scope.Scope>() {}
