import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Duration, Effect, Redacted } from "effect"
import { Credentials, TokenStore } from "effect-arta"

export interface Disk {
  readonly fs: FileSystem.FileSystem
  readonly directory: string
  readonly file: string
  /** Opens a store on the file, as another program would. */
  readonly open: (fs?: FileSystem.FileSystem) => Effect.Effect<TokenStore.Service>
  readonly files: Effect.Effect<ReadonlyArray<string>>
}

/** Runs a test with a token file in a new directory. */
export const onDisk = <A, E, R>(test: (disk: Disk) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* fs.makeTempDirectoryScoped()
    const file = path.join(directory, "credentials.json")
    const open = (disk = fs) =>
      TokenStore.TokenStore.pipe(
        Effect.provide(TokenStore.layerFileSystem(file)),
        Effect.provideService(FileSystem.FileSystem, disk),
        Effect.provideService(Path.Path, path)
      )
    return yield* test({ fs, directory, file, open, files: Effect.orDie(fs.readDirectory(directory)) })
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

/** A session that is identified by its name. */
export const session = (name: string) =>
  new Credentials.Credentials({
    localId: `account-${name}`,
    idToken: Redacted.make(`id-${name}`),
    refreshToken: Redacted.make(`refresh-${name}`),
    issuedAt: 1_000,
    expiresIn: Duration.hours(1)
  })
