import * as Context from "effect/Context"
import * as MutableRef from "effect/MutableRef"

/**
 * Whether the running submission may have left. `Arta` sets it before it calls `ArtaApi.submit`, so that a submission
 * of another `ArtaApi` counts as sent; ours corrects it.
 */
export class MaybeSent extends Context.Reference<MaybeSent>()("effect-arta/internal/MaybeSent", {
  defaultValue: () => MutableRef.make(false)
}) {}
