/** The flag for each option of the library. The columns of a batch file can have either name. */
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
