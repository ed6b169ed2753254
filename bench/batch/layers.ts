import type { SqlClient } from "@effect/sql/SqlClient"
import { Layer } from "effect"
import { BatchDatabase, DurableBatch } from "effect-arta/batch"
import { databaseLayer } from "../../test/support/databaseLayer.js"

/** The batches in a database. */
export const layerBatches = (
  url: string,
  options: DurableBatch.Options = {}
): Layer.Layer<DurableBatch.DurableBatch | BatchDatabase.BatchDatabase | SqlClient> =>
  DurableBatch.layer(options).pipe(
    Layer.provideMerge(BatchDatabase.layer()),
    Layer.provideMerge(databaseLayer(url)),
    Layer.orDie
  )
