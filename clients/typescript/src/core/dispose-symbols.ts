/// <reference lib="esnext.disposable" preserve="true" />
// Early releases of Node 20, and some browsers, lack the symbols that `using` needs. Compilers that translate `using` for
// them look for these.

for (const name of ["dispose", "asyncDispose"] as const) {
  if (Symbol[name] === undefined) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
