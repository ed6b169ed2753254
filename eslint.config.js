import tseslint from "typescript-eslint"

export default tseslint.config(
  { ignores: ["dist", "site", "coverage", "images", ".ci", ".github"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] } } },
    rules: {
      "max-lines": ["error", 320],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/array-type": ["error", { default: "generic" }],
      // Tag classes have no members.
      "@typescript-eslint/no-extraneous-class": ["error", { allowWithDecorator: false, allowEmpty: true }]
    }
  },
  { files: ["*.js"], ...tseslint.configs.disableTypeChecked }
)
