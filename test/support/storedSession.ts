import { FileSystem } from "@effect/platform"
import { Clock, Effect } from "effect"

/** The path of a new token file with a session that is valid for an hour. */
export const storedSession = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const tokenFile = `${yield* fs.makeTempDirectoryScoped()}/credentials.json`
  const session = { version: 1, localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: 3_600_000 }
  yield* fs.writeFileString(tokenFile, JSON.stringify({ ...session, issuedAt: yield* Clock.currentTimeMillis }))
  return tokenFile
})
