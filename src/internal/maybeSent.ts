import * as Context from "effect/Context"
import * as Ref from "effect/Ref"

/**
 * Whether the running submission may have left. `Arta` sets it before it calls `ArtaApi.submit`, so that a submission
 * of another `ArtaApi` counts as sent; ours corrects it.
 */
export class MaybeSent extends Context.Reference<MaybeSent>()("effect-arta/internal/MaybeSent", {
  defaultValue: () => Ref.unsafeMake(false)
}) {}
