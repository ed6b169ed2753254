import { HttpClient } from "@effect/platform"
import { Clock, Effect, Either, Layer, Stream } from "effect"
import { Arta, ArtaApi, Auth } from "effect-arta"
import { virtualTime } from "../../test/support/controlledTime.js"
import type { Limit } from "../../test/support/limitedService.js"
import { generating, limitedService, oneWay, queue } from "../../test/support/limitedService.js"

/** The results of generations that started together. Times are seconds. */
export interface Result {
  readonly requests: number
  readonly refused: number
  /** Those after the first 20 requests. */
  readonly laterRequests: number
  readonly laterRefused: number
  readonly failed: number
  /** For each generation: the time from its start until the program has its images, without the time that it takes. */
  readonly lags: ReadonlyArray<number>
}

const learning = 20

const lagOf = (millis: number) => (millis - queue - generating) / 1_000

/** Sends requests at the limit's interval and not sooner, so that the service refuses none. */
const spaced = (client: HttpClient.HttpClient, { interval }: Limit): HttpClient.HttpClient => {
  let next = 0
  // A request may be slower than the next one.
  const needed = interval + 2 * (oneWay[1] - oneWay[0])
  return HttpClient.transform(client, (response) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const at = Math.max(now, next)
      next = at + needed
      return Effect.delay(response, at - now)
    })
  )
}

/** Starts generations together through `Arta.generateAll`, in virtual time. `isTold`: the client knows the limit. */
export const simulate = (limit: Limit, count: number, seed: number, isTold = false): Result => {
  const { client, received } = limitedService(limit)
  const api = ArtaApi.layer().pipe(
    Layer.provide(Auth.layerToken("token")),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, isTold ? spaced(client, limit) : client))
  )
  const lags: Array<number> = []
  let failed = 0
  const world = virtualTime(seed)
  world.start(
    Effect.flatMap(Clock.currentTimeMillis, (start) =>
      Arta.generateAll(
        Array.from({ length: count }, () => ({ prompt: "a lighthouse", seed: 1 })),
        { concurrency: "unbounded" }
      ).pipe(
        Stream.runForEach(({ result }) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            if (Either.isRight(result)) lags.push(lagOf(now - start))
            else failed += 1
          })
        )
      )
    ).pipe(Effect.provide(api), Effect.withTracerEnabled(false))
  )
  world.pass(3_600_000, () => undefined)
  if (lags.length + failed !== count) throw new Error("Some generations did not end.")

  const later = received.slice(learning)
  const refusedOf = (requests: typeof received) => requests.filter(({ refused }) => refused).length
  return {
    requests: received.length,
    refused: refusedOf(received),
    laterRequests: later.length,
    laterRefused: refusedOf(later),
    failed,
    lags
  }
}

/**
 * The lags of an oracle, which knows the limit and when each generation ends. It sends a request whenever the limit
 * allows one: first all submissions, then one poll for each generation, in the order in which they end.
 */
export const oracleLags = ({ interval }: Limit, count: number): ReadonlyArray<number> => {
  const travel = (oneWay[0] + oneWay[1]) / 2
  const lags: Array<number> = []
  let sentAt = (count - 1) * interval
  for (let index = 0; index < count; index++) {
    // Both the submission and the poll reach the service after `travel`.
    sentAt = Math.max(sentAt + interval, index * interval + queue + generating)
    lags.push(lagOf(sentAt + 2 * travel))
  }
  return lags
}
