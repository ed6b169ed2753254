/** What the server saw. */
export interface Counts {
  signUps: number
  submits: number
  requests: number
}

/** What a contender took from the end of its imports to its last image. */
export interface Usage {
  readonly cpuMillis: number
  readonly millis: number
  /** Of the whole process, imports and all. */
  readonly peakBytes: number
  /** For each image, how many milliseconds after it was done it was known to be. */
  readonly lags: ReadonlyArray<number>
  readonly failures: ReadonlyArray<string>
}

/** Where the server speaks what a client expects, and where the packages are that only this benchmark needs. */
export interface Surroundings {
  readonly server: string
  /** The built library's directory. */
  readonly dist: string
  readonly peers: string
}

/** Makes a function that runs so many generations at once, and tells of each how it ended as soon as it is known. */
export type Contender = (surroundings: Surroundings) => Promise<(generations: number, tell: Tell) => Promise<void>>

export interface Tell {
  readonly image: (url: string) => void
  readonly failure: (error: unknown) => void
}

/** Runs generations all at once where one is a promise. */
export const allAtOnce =
  (generate: (index: number) => Promise<string>) =>
  async (generations: number, tell: Tell): Promise<void> => {
    await Promise.all(Array.from({ length: generations }, (_, i) => generate(i).then(tell.image, tell.failure)))
  }
