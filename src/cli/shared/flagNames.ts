/** The flag for each option of the library. Columns of a batch file may have either name. */
export const flags = {
  prompt: "The prompt",
  model: "--model",
  n: "-n",
  negativePrompt: "--negative",
  aspectRatio: "--aspect",
  numInferenceSteps: "--steps",
  guidanceScale: "--guidance",
  seed: "--seed",
  recordId: "The record id",
  proxy: "--proxy or ARTA_PROXY"
} as const
