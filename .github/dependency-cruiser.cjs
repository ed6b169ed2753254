// The import rules of src. `npm run check:rules` fails if an import breaks one.

const { builtinModules } = require("node:module")

// Each directory of src/internal belongs to one module of src.
const owners = {
  identity: "Auth",
  tokenStore: "TokenStore",
  artaApi: "ArtaApi",
  generation: "Arta",
  adaptivePolling: "Polling",
  durationFile: "DurationStore",
  download: "ImageFile",
  imageMetadata: "ImageFile",
  promise: "ArtaClient",
  node: "node/NodeArta"
}

// effect-arta, effect-arta/node and the other public entries
const entries = ["^src/index\\.ts$", "^src/(node|testing|batch|server)/index\\.ts$"]

const directoriesOf = (owner) => Object.keys(owners).filter((directory) => owners[directory] === owner)

// The entries for other libraries, and what else each may import than the public modules of the library.
const doors = { batch: [], server: [], ai: [], "ai-sdk": ["^src/node/NodeArta\\.ts$"] }

const doorRules = Object.entries(doors).map(([entry, others]) => ({
  name: `${entry}-imports-public-modules-only`,
  comment: `src/${entry} uses the library as any other program does.`,
  severity: "error",
  from: { path: `^src/${entry}/` },
  to: { path: "^src/", pathNot: [`^src/${entry}/`, "^src/[^/]+\\.ts$", ...others] }
}))

const ownerRules = Object.entries(owners).map(([directory, owner]) => ({
  name: `internal-${directory}-belongs-to-${owner}`,
  comment: `Only src/${owner}.ts, src/internal/*.ts and the directories of ${owner} import src/internal/${directory}/.`,
  severity: "error",
  from: {
    path: "^src/",
    pathNot: [`^src/internal/(${directoriesOf(owner).join("|")})/`, `^src/${owner}\\.ts$`, "^src/internal/[^/]+\\.ts$"]
  },
  to: { path: `^src/internal/${directory}/` }
}))

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Modules must not import each other in a cycle, not even for types.",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true }
    },
    {
      name: "no-unresolved",
      comment: "An unresolved import would bypass every other rule.",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true }
    },
    {
      name: "library-imports-no-entry",
      comment: "The library imports neither the command, nor the Node layers, nor the emulator.",
      severity: "error",
      from: { path: ["^src/[^/]+\\.ts$", "^src/internal/"] },
      to: { path: "^src/(node|testing|cli|batch|server|ai-sdk|ai)/" }
    },
    {
      name: "command-imports-public-entries-only",
      comment: "The command imports only the public entries, such as effect-arta and effect-arta/node.",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: "^src/", pathNot: ["^src/cli/", ...entries] }
    },
    {
      name: "internal-is-private",
      comment: "Only the library and its Node layers import src/internal.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/[^/]+\\.ts$", "^src/(internal|node)/"] },
      to: { path: "^src/internal/" }
    },
    ...ownerRules,
    ...doorRules,
    {
      name: "testing-emulator-belongs-to-testing",
      comment: "Only src/testing imports src/testing/emulator/.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/testing/" },
      to: { path: "^src/testing/emulator/" }
    },
    {
      name: "entry-internal-is-private",
      comment: "The directory internal of an entry is imported only by that entry.",
      severity: "error",
      from: { path: "^src/([^/]+)/" },
      to: { path: `^src/(${Object.keys(doors).join("|")})/internal/`, pathNot: "^src/$1/" }
    },
    {
      name: "no-inner-barrel",
      comment: "Inside src, import the module itself. The command imports the public entries.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: "^src/.*\\bindex\\.ts$" }
    },
    {
      name: "no-inner-barrel",
      comment: "Inside src/cli, import the module itself.",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: "^src/.*\\bindex\\.ts$", pathNot: entries }
    },
    {
      name: "neutral-entry-free-of-node-built-ins",
      comment: "Every module that src/index.ts reaches must also run outside Node.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { path: ["^node:", `^(${builtinModules.join("|")})$`], reachable: true }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "node", "default"] }
  }
}
