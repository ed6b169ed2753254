const longest = 300

/** Any text on one bounded line. Control characters and changes of the writing direction are shown as escapes. */
export const printable = (text: string): string => {
  const visible = text.replace(
    /[\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  // The end of a path says more than its middle.
  return visible.length > longest ? `${visible.slice(0, longest / 2)}…${visible.slice(-longest / 2)}` : visible
}
