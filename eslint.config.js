import tseslint from "typescript-eslint"

const noSharedLayer =
  "It replaces it.effect and it.scoped for every later test of its worker, which then share one TestClock " +
  "(@effect/vitest 0.30.0). Provide the layer in each test instead."

export default tseslint.config(
  // The scripts of a page are joined into one, so none of them is a module.
  {
    ignores: [
      "dist",
      "site",
      "coverage",
      "images",
      ".ci",
      ".github",
      "src/cli/command/*/page",
      "src/cli/shared/page",
      "src/server/internal/page/*.js"
    ]
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] } } },
    rules: {
      // Documentation does not count: it is what makes a public module long.
      "max-lines": ["error", { max: 320, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/array-type": ["error", { default: "generic" }],
      // Tag classes have no members.
      "@typescript-eslint/no-extraneous-class": ["error", { allowWithDecorator: false, allowEmpty: true }]
    }
  },
  {
    files: ["**/*.test.ts"],
    // One file, in a run of its own.
    ignores: ["test/conformance/**"],
    rules: {
      "no-restricted-properties": ["error", { object: "it", property: "layer", message: noSharedLayer }],
      "no-restricted-imports": ["error", { name: "@effect/vitest", importNames: ["layer"], message: noSharedLayer }]
    }
  },
  { files: ["*.js"], ...tseslint.configs.disableTypeChecked }
)
