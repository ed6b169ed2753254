import * as Hash from "effect/Hash"
import { PCGRandom } from "effect/Utils"
import { encode } from "fast-png"

export interface Subject {
  readonly prompt: string
  readonly model: string
  readonly seed: number
  readonly index: number
  readonly aspectRatio: string
}

type Color = readonly [red: number, green: number, blue: number]

const sizeOf = (aspectRatio: string, longSide: number): readonly [width: number, height: number] => {
  const [wide = 1, high = 1] = aspectRatio.split(":").map(Number)
  const scale = longSide / Math.max(wide, high)
  return [Math.max(1, Math.round(wide * scale)), Math.max(1, Math.round(high * scale))]
}

const fromHsl = (hue: number, saturation: number, lightness: number): Color => {
  const chroma = saturation * Math.min(lightness, 1 - lightness)
  const channel = (offset: number) => {
    const position = (offset + hue * 12) % 12
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(position - 3, 9 - position, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

const mix = (from: Color, to: Color, share: number): Color => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
  from[2] + (to[2] - from[2]) * share
]

const between = (random: PCGRandom, low: number, high: number): number => low + random.number() * (high - low)

interface Frame {
  readonly width: number
  readonly height: number
}

/**
 * A landscape whose colors, sun, and hills depend only on the random generator. Lengths are fractions of the long side.
 */
const compose = (random: PCGRandom, { height, width }: Frame) => {
  const hue = random.number()
  const zenith = fromHsl(hue, 0.65, between(random, 0.2, 0.45))
  const horizon = fromHsl((hue + between(random, 0.05, 0.3)) % 1, 0.75, 0.75)
  const sun = { x: between(random, 0.15, 0.85), y: between(random, 0.12, 0.5), radius: between(random, 0.05, 0.14) }
  const groundHue = (hue + between(random, 0.35, 0.65)) % 1
  const hills = [0.45, 0.3, 0.15].map((lightness, depth) => ({
    color: fromHsl(groundHue, 0.45, lightness),
    base: 0.55 + depth * 0.14,
    waves: [0.09, 0.04, 0.015].map((height, octave) => ({
      height,
      frequency: between(random, 2, 5) * 2 ** octave,
      phase: between(random, 0, 2 * Math.PI)
    }))
  }))

  return (x: number) => {
    const skyline = hills.map(({ base, color, waves }) => ({
      color,
      top: waves.reduce((sum, { frequency, height, phase }) => sum + height * Math.sin(frequency * x + phase), base)
    }))
    return (y: number): Color => {
      const depth = y / height
      const front = skyline.findLast(({ top }) => depth > top)
      if (front !== undefined) return front.color
      const sky = mix(zenith, horizon, depth)
      return Math.hypot(x - sun.x * width, y - sun.y * height) < sun.radius ? mix(sky, [255, 250, 225], 0.9) : sky
    }
  }
}

/** Draws a PNG image. The same subject and size always give the same image. `longSide` is in pixels. */
export const draw = ({ aspectRatio, ...subject }: Subject, longSide = 512): Uint8Array => {
  const [width, height] = sizeOf(aspectRatio, longSide)
  const columnAt = compose(new PCGRandom(Hash.structure(subject)), {
    width: width / longSide,
    height: height / longSide
  })
  const data = new Uint8Array(width * height * 3)
  for (let x = 0; x < width; x++) {
    const colorAt = columnAt(x / longSide)
    for (let y = 0; y < height; y++) {
      data.set(colorAt(y / longSide), (y * width + x) * 3)
    }
  }
  return encode({ width, height, data, channels: 3 })
}
