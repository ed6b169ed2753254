const adjectives = ["old", "small", "red", "quiet", "broken", "tall", "far", "bright"]

/** Different prompts, with what people write around the subject. */
export const promptsOf = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, number) => {
    const adjective = adjectives[number % adjectives.length] ?? ""
    return `a ${adjective} lighthouse at dawn, oil on canvas, wide angle, no people, number ${String(number)}`
  })
