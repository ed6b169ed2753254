/** What a runner is told by the program that starts it. */
export interface Settings {
  /**
   * - `plain`: the library alone, without a database.
   * - `enqueue`: inserts the rows.
   * - `claims`: no engine, claims over SQL.
   * - `activity`: a workflow for each row, with an activity. `page`: a workflow for 20 rows.
   */
  readonly dispatch: "plain" | "enqueue" | "claims" | "activity" | "page"
  readonly database: string
  readonly service: string
  readonly tokenFile: string
  readonly rows: number
  readonly window: number
}

/** Fewer shards than the engine's 300: each of its reads looks up every shard in an index. */
export const shards: ReadonlyArray<number> = Array.from({ length: 32 }, (_, index) => index + 1)

export const pageSize = 20
