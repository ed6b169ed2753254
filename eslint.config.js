import tseslint from "typescript-eslint"

export default tseslint.config(
  // The scripts of the gallery's page are joined into one, so none of them is a module.
  { ignores: ["dist", "site", "coverage", "images", ".ci", ".github", "src/cli/command/gallery/page"] },
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
