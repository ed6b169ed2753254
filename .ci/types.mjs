// Reports what the compiler and the Effect language service find in the project. A warning counts as an error.
// One program serves both: `effect-language-service diagnostics` 0.87.2 makes a new one for every 50 files.
import plugin from "@effect/language-service"
import ts from "typescript"

const host = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"))
  }
}
const { errors, fileNames, options } = ts.getParsedCommandLineOfConfigFile("tsconfig.json", {}, host)
const program = ts.createProgram({ rootNames: fileNames, options, configFileParsingDiagnostics: errors })
const config = options.plugins.find(({ name }) => name === "@effect/language-service")
const service = plugin({ typescript: ts }).create({
  config,
  languageService: { getProgram: () => program, getSemanticDiagnostics: () => [] },
  project: { log: () => {} }
})

const { Error, Warning } = ts.DiagnosticCategory
const found = [
  ...ts.getPreEmitDiagnostics(program),
  ...fileNames.flatMap((name) => service.getSemanticDiagnostics(name))
]
const problems = ts.sortAndDeduplicateDiagnostics(
  found.filter(({ category }) => category === Error || category === Warning)
)
process.stdout.write(
  ts.formatDiagnosticsWithColorAndContext(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: ts.sys.getCurrentDirectory,
    getNewLine: () => ts.sys.newLine
  })
)
console.log(`Errors and warnings in ${fileNames.length} files: ${problems.length}`)
process.exitCode = problems.length === 0 ? 0 : 1
