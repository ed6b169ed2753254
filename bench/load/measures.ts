/**
 * How the server decides whether a generation has ended. `fixed`: with the seventh status request, so every client sends
 * the same requests. `clock`: after 3 s. `endless`: never.
 */
export type Mode = "fixed" | "clock" | "endless"

/** How many generations to run, and how many of them at the same time. */
export interface Load {
  readonly generations: number
  readonly concurrency: number
}

/** The requests that the server received. */
export interface RequestCounts {
  signUps: number
  submits: number
  requests: number
  /** The status requests for the record with the fewest of them. */
  polls: number
}

/** The resources that a contender uses from the end of its imports to its last image. */
export interface Usage {
  readonly cpuMillis: number
  readonly millis: number
  /** The peak memory of the whole process, imports included. */
  readonly peakBytes: number
  /** For each image, the milliseconds from the end of its generation to the moment when the client notices it. */
  readonly lags: ReadonlyArray<number>
  readonly failures: ReadonlyArray<string>
}

/** What a contender needs to know. */
export interface Environment {
  readonly mode: Mode
  /** The base URL of the server. */
  readonly server: string
  /** The polling interval of the loops in milliseconds. effect-arta has it too, unless the mode is `clock`. */
  readonly interval: number
  /** The directory of the built library. */
  readonly dist: string
  /** The directory in which this benchmark installs the other clients. */
  readonly packages: string
  /** An empty directory for one run. */
  readonly temporary: string
}

/** Sets up a client, and returns a function that runs a load. It notifies `observer` when the client notices the end of a generation. */
export type Contender = (environment: Environment) => Promise<(load: Load, observer: Observer) => Promise<void>>

export interface Observer {
  readonly image: (url: string) => void
  readonly failure: (error: unknown) => void
}

/** Runs the generations of a promise-based client, at most `concurrency` at a time. */
export const runConcurrently =
  (generate: (index: number) => Promise<string>) =>
  async ({ concurrency, generations }: Load, observer: Observer): Promise<void> => {
    let next = 0
    const work = async () => {
      while (next < generations) await generate(next++).then(observer.image, observer.failure)
    }
    await Promise.all(Array.from({ length: concurrency }, work))
  }
