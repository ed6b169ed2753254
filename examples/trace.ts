// npx tsx examples/trace.ts > docs/trace.svg
//
// Generates two images on the emulator and draws the spans of the program. With @effect/opentelemetry, the same spans
// go to your collector.
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Option, Ref, Tracer } from "effect"
import { htmlEscape } from "escape-goat"
import { Arta } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"

/** Effect's own tracer, which also remembers its spans. */
const remember = (spans: Ref.Ref<ReadonlyArray<Tracer.Span>>) => (tracer: Tracer.Tracer) =>
  Tracer.make({
    context: (run, fiber) => tracer.context(run, fiber),
    span: (...args) => {
      const span = tracer.span(...args)
      Effect.runSync(Ref.update(spans, (before) => [...before, span]))
      return span
    }
  })

const depthOf = ({ parent }: Tracer.Span): number =>
  Option.match(parent, { onNone: () => 0, onSome: (span) => (span._tag === "Span" ? 1 + depthOf(span) : 1) })

const millis = ({ status }: Tracer.Span) => {
  const end = status._tag === "Ended" ? status.endTime : status.startTime
  return { start: Number(status.startTime / 1_000_000n), end: Number(end / 1_000_000n) }
}

const lineHeight = 22
const labelWidth = 240
const chartWidth = 460

const text = (x: number, y: number, content: string): string =>
  `<text x="${x.toFixed()}" y="${(y + 15).toFixed()}">${htmlEscape(content)}</text>`

const bar = (x: number, y: number, width: number): string =>
  `<rect x="${x.toFixed(1)}" y="${(y + 4).toFixed()}" width="${Math.max(2, width).toFixed(1)}" height="14" fill="#4a7fb5"/>`

const drawing = (spans: ReadonlyArray<Tracer.Span>): string => {
  const first = Math.min(...spans.map((span) => millis(span).start))
  const last = Math.max(...spans.map((span) => millis(span).end))
  const scale = chartWidth / (last - first)

  const rows = spans.flatMap((span, index) => {
    const { end, start } = millis(span)
    const y = index * lineHeight
    return [
      text(10 + 14 * depthOf(span), y, span.name),
      bar(labelWidth + (start - first) * scale, y, (end - start) * scale),
      text(labelWidth + chartWidth + 10, y, `${String(end - start)} ms`)
    ]
  })
  const attributes = [...(spans[0]?.attributes ?? [])].map(([key, value], index) =>
    text(10, (spans.length + index + 1) * lineHeight, `${key}: ${String(value)}`)
  )
  const height = ((spans.length + attributes.length + 1) * lineHeight).toFixed()
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="${height}" font-family="monospace" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...rows,
    ...attributes,
    "</svg>"
  ].join("\n")
}

const program = Effect.gen(function* () {
  const spans = yield* Ref.make<ReadonlyArray<Tracer.Span>>([])
  const tracer = remember(spans)(yield* Effect.tracer)
  yield* Effect.withTracer(Arta.run({ prompt: "a lighthouse at dawn", n: 2, seed: 7 }), tracer)
  yield* Console.log(drawing(yield* Ref.get(spans)))
})

program.pipe(Effect.provide(ArtaEmulator.layerArta()), NodeRuntime.runMain)
