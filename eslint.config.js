import tseslint from "typescript-eslint"

// The house, lowest floor first: a module imports only from the floors below its own, so no import can run in a circle.
const floors = [
  ["src/ImageModel"],
  ["src/GenerateRequest"],
  ["src/Generation"],
  ["src/internal/advice"],
  ["src/ArtaError"],
  ["src/Credentials"],
  ["src/internal/clock", "src/internal/configuration", "src/internal/asyncIterable", "src/internal/aborted"],
  ["src/internal/pictureFormat", "src/internal/forecast"],
  ["src/internal/sojourn"],
  ["src/internal/history"],
  ["src/internal/http", "src/internal/retrying", "src/internal/deadline", "src/internal/pause", "src/internal/metrics"],
  ["src/internal/signedUp", "src/internal/wire", "src/internal/decodeOptions"],
  ["src/internal/identity", "src/internal/storedCredentials", "src/internal/fileLock", "src/internal/slot"],
  ["src/internal/fileSlot"],
  ["src/TokenStore"],
  ["src/Auth"],
  ["src/ArtaApi"],
  ["src/Polling"],
  ["src/internal/follow", "src/internal/gate"],
  ["src/Arta"],
  ["src/internal/fetchPicture"],
  ["src/ImageFile"],
  ["src/ArtaClient"],
  ["src/index"],
  ["src/node/NodeArta"],
  ["src/node/index"],
  ["src/testing/Fault"],
  ["src/testing/emulator/picture", "src/testing/emulator/state"],
  ["src/testing/emulator/identityRoutes", "src/testing/emulator/generationRoutes"],
  ["src/testing/ArtaEmulator"],
  ["src/testing/index"],
  ["src/cli/flags", "src/cli/output", "src/cli/plainConsole", "src/cli/overview"],
  ["src/cli/failure", "src/cli/options", "src/cli/progress"],
  ["src/cli/journal"],
  ["src/cli/recorder"],
  ["src/cli/environment"],
  ["src/cli/draw"],
  ["src/cli/show"],
  ["src/cli/gallery/page"],
  ["src/cli/gallery/gallery"],
  ["src/cli/gallery/command"],
  ["src/cli/batch/requests", "src/cli/batch/lock"],
  ["src/cli/batch/plan", "src/cli/batch/tally"],
  ["src/cli/batch/batch"],
  ["src/cli/generate", "src/cli/watch", "src/cli/models", "src/cli/account", "src/cli/emulator"],
  ["src/cli/commands"],
  ["src/cli/main"]
]

// The command is the library's best example, so it has only what everybody has.
const insides = {
  group: [
    "../internal/**",
    "../**/internal/**",
    "../node/**",
    "../**/node/**",
    "../testing/**",
    "../**/testing/**",
    "../[A-Z]*",
    "../../[A-Z]*"
  ],
  caseSensitive: true,
  message: "The command is built on the public API."
}

const barrels = { regex: "/index\\.js$", message: "Barrels are for users of the library." }

const floorRules = floors.map((floor, height) => {
  const above = floors
    .slice(height)
    .flat()
    .map((file) => file.split("/").at(-1))
  const upward = {
    regex: `/(${above.join("|")})\\.js$`,
    message: "This module is on the same floor or a higher one: see the floors in eslint.config.js."
  }
  return {
    files: floor.map((file) => `${file}.ts`),
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: floor[0].startsWith("src/cli/") ? [upward, insides] : [upward, barrels] }
      ]
    }
  }
})

// A module that nobody has given a floor could import anything.
const homeless = {
  files: ["src/**/*.ts"],
  ignores: floors.flat().map((file) => `${file}.ts`),
  rules: {
    "no-restricted-syntax": ["error", { selector: "Program", message: "Give this module a floor in eslint.config.js." }]
  }
}

export default tseslint.config(
  { ignores: ["dist", "docs", "coverage", "images", ".ci"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] } } },
    rules: {
      "max-lines": ["error", 320],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/array-type": ["error", { default: "generic" }],
      // A tag class carries nothing but its type.
      "@typescript-eslint/no-extraneous-class": ["error", { allowWithDecorator: false, allowEmpty: true }]
    }
  },
  ...floorRules,
  homeless,
  { files: ["*.js"], ...tseslint.configs.disableTypeChecked }
)
