import { Effect, Layer, Ref } from "effect"
import { ArtaApi, Auth, GenerateRequest, Generation } from "effect-arta"

export const request = new GenerateRequest.GenerateRequest({ prompt: "a fox", seed: 7 })

const done: Generation.GenerationStatus = { _tag: "Done", images: [{ index: 0, url: "https://images.example/0.png" }] }

export const recordId = (number: number) => Generation.RecordId.make(`record-${String(number)}`)

interface Options {
  /** What happens to the nth submission, from 1, after it was counted. Default: the service accepts it. */
  readonly onSubmit?: (nth: number) => Effect.Effect<unknown, ArtaApi.SubmitError>
  readonly status?: Effect.Effect<Generation.GenerationStatus, ArtaApi.StatusError>
  readonly auth?: Layer.Layer<Auth.Auth>
}

/** An image service that counts the submissions and polls of everyone who provides its layer. */
export const imageService = ({ auth = Auth.layerToken("token"), onSubmit, status }: Options = {}) =>
  Effect.gen(function* () {
    const posts = yield* Ref.make(0)
    const polls = yield* Ref.make(0)
    const running = yield* Ref.make({ now: 0, most: 0 })
    const submit = Effect.gen(function* () {
      const nth = yield* Ref.updateAndGet(posts, (n) => n + 1)
      yield* Ref.update(running, ({ most, now }) => ({ now: now + 1, most: Math.max(most, now + 1) }))
      if (onSubmit !== undefined) yield* onSubmit(nth)
      return recordId(nth)
    }).pipe(Effect.ensuring(Ref.update(running, ({ most, now }) => ({ now: now - 1, most }))))
    const api = Layer.succeed(ArtaApi.ArtaApi, {
      submit: () => submit,
      status: () =>
        Effect.zipRight(
          Ref.update(polls, (n) => n + 1),
          status ?? Effect.succeed(done)
        )
    })
    return {
      posts: Ref.get(posts),
      polls: Ref.get(polls),
      mostAtOnce: Effect.map(Ref.get(running), ({ most }) => most),
      layer: Layer.merge(api, auth)
    }
  })
