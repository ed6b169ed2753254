import { defineConfig } from "vitest/config"
import base from "../../vitest.config.js"

export default defineConfig({
  test: {
    ...base.test,
    include: ["test/conformance/*.test.ts"],
    exclude: [],
    globalSetup: "test/conformance/firebaseTools.ts"
  }
})
