import type { WriteStream } from "node:tty"

/** Whether to print colors. `hasColors` respects NO_COLOR and the abilities of the terminal. */
export const hasColors = (stream: WriteStream): boolean => stream.isTTY && stream.hasColors()
