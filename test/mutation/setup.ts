// The thread stays for the next mutant. The last one must not be active while test files load and name their tests.
const stryker: unknown = Reflect.get(globalThis, "__stryker__")
if (typeof stryker === "object" && stryker !== null) Reflect.set(stryker, "activeMutant", undefined)
