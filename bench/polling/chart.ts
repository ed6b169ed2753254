interface Point {
  readonly polls: number
  readonly lag: number
}

export interface Series {
  readonly name: string
  readonly color: string
  readonly line: ReadonlyArray<Point>
  readonly dashed?: boolean
  readonly dots?: ReadonlyArray<Point & { readonly label: string }>
}

const width = 760
const height = 460
const plot = { left: 64, right: 24, top: 56, bottom: 56 }
const maxPolls = 24
const maxLag = 1.4

const x = (polls: number) => plot.left + (polls / maxPolls) * (width - plot.left - plot.right)
const y = (lag: number) => height - plot.bottom - (lag / maxLag) * (height - plot.top - plot.bottom)
const n = (value: number) => String(Math.round(value * 10) / 10)

const range = (end: number, step: number) =>
  Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step)

const grid = [
  ...range(maxPolls, 4).map(
    (polls) =>
      `<line class="grid" x1="${n(x(polls))}" y1="${n(y(0))}" x2="${n(x(polls))}" y2="${n(y(maxLag))}"/>` +
      `<text x="${n(x(polls))}" y="${n(y(0) + 20)}" text-anchor="middle">${String(polls)}</text>`
  ),
  ...range(maxLag, 0.2).map(
    (lag) =>
      `<line class="grid" x1="${n(x(0))}" y1="${n(y(lag))}" x2="${n(x(maxPolls))}" y2="${n(y(lag))}"/>` +
      `<text x="${n(x(0) - 8)}" y="${n(y(lag) + 4)}" text-anchor="end">${lag.toFixed(1)}</text>`
  )
]

const dashAttribute = ({ dashed = false }: Series) => (dashed ? ' stroke-dasharray="6 4"' : "")

const renderSeries = (series: Series): string => {
  const { color, dots = [], line } = series
  const points = line.map(({ lag, polls }) => `${n(x(polls))},${n(y(lag))}`).join(" ")
  const marks = dots.map(
    ({ label, lag, polls }) =>
      `<circle cx="${n(x(polls))}" cy="${n(y(lag))}" r="4" fill="${color}"/>` +
      `<text x="${n(x(polls) + 7)}" y="${n(y(lag) - 7)}" style="fill:${color}">${label}</text>`
  )
  return `<polyline points="${points}" stroke="${color}"${dashAttribute(series)} clip-path="url(#plot)"/>\n${marks.join("\n")}`
}

const legend = (allSeries: ReadonlyArray<Series>): string =>
  allSeries
    .map((series, i) => {
      const top = plot.top + 22 + i * 20
      const left = width - plot.right - 260
      return (
        `<line x1="${String(left)}" y1="${String(top)}" x2="${String(left + 28)}" y2="${String(top)}" ` +
        `stroke="${series.color}" stroke-width="2"${dashAttribute(series)}/>` +
        `<text x="${String(left + 36)}" y="${String(top + 4)}">${series.name}</text>`
      )
    })
    .join("\n")

/** An SVG chart of mean lag over polls per generation, with colors for light and dark backgrounds. */
export const renderChart = (
  title: string,
  series: ReadonlyArray<Series>
): string => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="${title}">
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.background { fill: #ffffff }
.grid { stroke: #8b949e; stroke-opacity: 0.3 }
polyline { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .background { fill: #0d1117 } }
</style>
<defs><clipPath id="plot"><rect x="${n(x(0))}" y="${n(y(maxLag))}" width="${n(x(maxPolls) - x(0))}" height="${n(y(0) - y(maxLag))}"/></clipPath></defs>
<rect class="background" width="${String(width)}" height="${String(height)}"/>
<text class="title" x="${String(plot.left)}" y="28">${title}</text>
${grid.join("\n")}
<text x="${n(x(maxPolls / 2))}" y="${String(height - 14)}" text-anchor="middle">Polls per generation</text>
<text transform="translate(18 ${n(y(maxLag / 2))}) rotate(-90)" text-anchor="middle">Mean lag in seconds</text>
${series.map(renderSeries).join("\n")}
${legend(series)}
</svg>
`
