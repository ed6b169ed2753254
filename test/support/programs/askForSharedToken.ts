/** Prints the token of the account that all programs with the same PostgreSQL database share. */
import { PgClient } from "@effect/sql-pg"
import { Auth } from "effect-arta"
import { BatchDatabase, TokenStore } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import { Console, Effect, Layer, Redacted, Schema } from "effect"

const Options = Schema.parseJson(
  Schema.Struct({
    apiKey: Schema.String,
    apiUrl: Schema.String,
    signUpUrl: Schema.String,
    tokenUrl: Schema.String,
    database: Schema.String
  })
)

const { database, ...options } = Schema.decodeUnknownSync(Options)(process.argv[2])

Effect.flatMap(Auth.Auth, (auth) => auth.token).pipe(
  Effect.flatMap((token) => Console.log(Redacted.value(token))),
  Effect.provide(
    NodeArta.layerWithoutTokenStore(options).pipe(
      Layer.provide(TokenStore.layerSql),
      Layer.provide(BatchDatabase.layer()),
      Layer.provide(PgClient.layer({ url: Redacted.make(database) }))
    )
  ),
  Effect.runFork
)
