import type { Exit } from "effect"
import { Cause, Effect, Inspectable, Layer, Logger, LogLevel, Option, Tracer } from "effect"
import { inspect } from "node:util"

interface SeenSpan {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: Map<string, unknown>
}

const everythingAbout = (value: unknown): ReadonlyArray<string> => [
  inspect(value, { depth: 12 }),
  String(value),
  Inspectable.toStringUnknown(value)
]

/** Records everything that a program reveals: its failures in every format, its logs at trace level, and its spans. */
export const makeWitness = () => {
  const shown: Array<string> = []
  const spans: Array<SeenSpan> = []

  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      spans.push({ name, kind, attributes })
      return {
        _tag: "Span",
        spanId: String(spans.length),
        traceId: "trace",
        sampled: true,
        status: { _tag: "Started", startTime },
        name,
        parent,
        context,
        links,
        kind,
        attributes,
        end: (_, exit) => {
          shown.push(...everythingAbout(exit))
        },
        attribute: (key, value) => {
          attributes.set(key, value)
          shown.push(`${key}=${inspect(value)}`)
        },
        event: (event, _, details) => {
          shown.push(event, inspect(details))
        },
        addLinks: () => undefined
      }
    },
    context: (run) => run()
  })

  const logger = Logger.make((entry) => {
    shown.push(Logger.jsonLogger.log(entry), Logger.logfmtLogger.log(entry), ...everythingAbout(entry.message))
  })

  const watch = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
    Effect.exit(effect).pipe(
      Effect.tap((exit) =>
        Effect.sync(() => {
          shown.push(...everythingAbout(exit))
          if (exit._tag === "Failure") {
            shown.push(Cause.pretty(exit.cause, { renderErrorCause: true }))
            shown.push(...everythingAbout(Cause.squash(exit.cause)))
            const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
            if (failure instanceof Error) shown.push(failure.message, failure.stack ?? "")
          }
        })
      ),
      Effect.withTracer(tracer)
    )

  const layer = Layer.mergeAll(
    Logger.replace(Logger.defaultLogger, logger),
    Logger.minimumLogLevel(LogLevel.Trace),
    Layer.setTracer(tracer)
  )

  return { shown, spans, watch, layer }
}
