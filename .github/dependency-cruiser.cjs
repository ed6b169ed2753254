// Who may import whom in src. `npm run check:rules` fails on what breaks a rule.

const { builtinModules } = require("node:module")

// Each directory of src/internal belongs to one module of src.
const rooms = {
  identity: "Auth",
  tokenStore: "TokenStore",
  artaApi: "ArtaApi",
  generation: "Arta",
  adaptivePolling: "Polling",
  download: "ImageFile",
  promise: "ArtaClient"
}

// effect-arta, effect-arta/node and effect-arta/testing
const entries = ["^src/index\\.ts$", "^src/(node|testing)/index\\.ts$"]

const ownerRules = Object.entries(rooms).map(([room, owner]) => ({
  name: `internal-${room}-belongs-to-${owner}`,
  comment: `src/internal/${room}/ is imported only by src/${owner}.ts, itself and src/internal/*.ts.`,
  severity: "error",
  from: { path: "^src/", pathNot: [`^src/internal/${room}/`, `^src/${owner}\\.ts$`, "^src/internal/[^/]+\\.ts$"] },
  to: { path: `^src/internal/${room}/` }
}))

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "No module imports itself by way of others, not even for a type.",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true }
    },
    {
      name: "no-unresolved",
      comment: "An import that is not found would slip past every other rule.",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true }
    },
    {
      name: "library-imports-no-entry",
      comment: "The library knows neither the command nor the platform's layers nor the emulator.",
      severity: "error",
      from: { path: ["^src/[^/]+\\.ts$", "^src/internal/"] },
      to: { path: "^src/(node|testing|cli|batch|server|ai-sdk|ai)/" }
    },
    {
      name: "command-imports-public-entries-only",
      comment:
        "The command uses the library as any other program does: effect-arta, effect-arta/node, effect-arta/testing.",
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
    {
      name: "testing-emulator-belongs-to-testing",
      comment: "src/testing/emulator/ is imported only by src/testing.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/testing/" },
      to: { path: "^src/testing/emulator/" }
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
      comment: "The command has no barrels of its own.",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: "^src/.*\\bindex\\.ts$", pathNot: entries }
    },
    {
      name: "neutral-entry-free-of-node-built-ins",
      comment: "Whatever src/index.ts reaches runs outside Node too.",
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
