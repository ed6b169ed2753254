/** The requests that the server received. */
export interface RequestCounts {
  signUps: number
  submits: number
  requests: number
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

/** The locations that a contender needs. */
export interface Environment {
  /** The base URL of the server. */
  readonly server: string
  /** The directory of the built library. */
  readonly dist: string
  /** The directory in which this benchmark installs the other clients. */
  readonly packages: string
}

/**
 * Sets up a client, and returns a function that runs `generations` generations concurrently. The function notifies `observer`
 * when the client notices the end of a generation.
 */
export type Contender = (
  environment: Environment
) => Promise<(generations: number, observer: Observer) => Promise<void>>

export interface Observer {
  readonly image: (url: string) => void
  readonly failure: (error: unknown) => void
}

/** Runs all generations of a promise-based client concurrently. */
export const runConcurrently =
  (generate: (index: number) => Promise<string>) =>
  async (generations: number, observer: Observer): Promise<void> => {
    await Promise.all(Array.from({ length: generations }, (_, i) => generate(i).then(observer.image, observer.failure)))
  }
