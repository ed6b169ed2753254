import tseslint from "typescript-eslint"

export default tseslint.config(
  { ignores: ["dist", "site", "coverage", "images", ".ci", ".github"] },
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
  { files: ["*.js"], ...tseslint.configs.disableTypeChecked }
)
