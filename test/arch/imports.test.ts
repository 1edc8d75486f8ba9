import { type Dirent, globSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AREAS } from "../../src/areas/index.ts";
import { cycleOf, importsIn, importsOf } from "../support/import-graph.ts";

/** Which files a rule is about, and which imports it refuses. */
interface Rule {
  readonly name: string;
  readonly files: RegExp;
  readonly except?: RegExp;
  readonly refuses: RegExp;
  /** An import that the rule must refuse: [file, target]. */
  readonly sample: readonly [from: string, to: string];
}

const POSTGRES = String.raw`(\.postgres\.|/engines/postgres/)`;
const SQLITE = String.raw`(\.sqlite\.|/engines/sqlite/)`;

const RULES: readonly Rule[] = [
  {
    name: "the kernel imports itself and generated code",
    files: /^src\/kernel\//,
    refuses: /^src\/(?!kernel\/|gen\/)/,
    sample: ["src/kernel/store/store.ts", "src/areas/streams/area.ts"],
  },
  {
    name: "an area imports areas, the kernel and generated code",
    files: /^src\/areas\//,
    refuses: /^src\/(?!areas\/|kernel\/|gen\/)/,
    sample: ["src/areas/streams/area.ts", "src/config/config.ts"],
  },
  {
    name: "the PostgreSQL engine does not know SQLite",
    files: new RegExp(POSTGRES),
    refuses: new RegExp(`${SQLITE}|^@mikro-orm/sqlite$|^better-sqlite3$`),
    sample: ["src/areas/streams/store/append.postgres.ts", "src/areas/streams/store/append.sqlite.ts"],
  },
  {
    name: "the SQLite engine does not know PostgreSQL",
    files: new RegExp(SQLITE),
    refuses: new RegExp(`${POSTGRES}|^@mikro-orm/postgresql$|^pg$`),
    sample: ["src/kernel/store/engines/sqlite/engine.ts", "@mikro-orm/postgresql"],
  },
  {
    name: "a domain folder imports itself, what other areas offer, the kernel's pure values and node:crypto",
    files: /\/domain\//,
    refuses: /^(?!node:crypto$|.*\/domain\/|src\/areas\/\w+\/area\.ts$|src\/kernel\/(crypto\/)?[\w-]+\.ts$)/,
    sample: ["src/areas/sessions/domain/session.ts", "node:fs"],
  },
  {
    name: "Connect stays in the RPC layer",
    files: /^src\/(kernel|areas|cli|config)\//,
    except: /^src\/kernel\/(transport|rpc)\/|\/handlers\.ts$/,
    refuses: /^@connectrpc\//,
    sample: ["src/areas/sessions/store/session.ts", "@connectrpc/connect"],
  },
  {
    name: "the client imports itself, Connect and protobuf",
    files: /^clients\//,
    refuses: /^(?!clients\/typescript\/src\/|@connectrpc\/connect|@bufbuild\/protobuf(\/|$)|node:)/,
    sample: ["clients/typescript/src/client.ts", "src/gen/satchel/v1/streams_pb.ts"],
  },
  {
    name: "Node stays in one file of the client, for the sake of browsers",
    files: /^clients\//,
    except: /\/core\/grpc-transport\.ts$/,
    refuses: /^(node:|@connectrpc\/connect-node$)/,
    sample: ["clients/typescript/src/streams/streams.ts", "@connectrpc/connect-node"],
  },
  {
    name: "the server does not use the client",
    files: /^src\//,
    refuses: /^(clients\/|@satchel\/)/,
    sample: ["src/app.ts", "clients/typescript/src/client.ts"],
  },
];

const IMPORTS = importsOf("src/**/*.ts", "clients/typescript/src/**/*.ts").filter(
  ({ from }) => !/(^|\/)src\/gen\//.test(from),
);

function areaOf(path: string): string | undefined {
  return /^src\/areas\/(\w+)\//.exec(path)?.[1];
}

function folderName(entry: Dirent): string[] {
  return entry.isDirectory() ? [entry.name] : [];
}

function exportsIn(text: string): string[] {
  return [...text.matchAll(/^export (?:abstract |async )?(?:class|const|interface|type) ([A-Z]\w+)/gm)].flatMap(
    ([, name]) => name ?? [],
  );
}

describe.each(RULES)("$name", ({ files, except, refuses, sample: [from, to] }) => {
  const isRefused = (importing: { readonly from: string; readonly to: string }): boolean =>
    files.test(importing.from) && except?.test(importing.from) !== true && refuses.test(importing.to);

  test("holds for every import", () => {
    expect(IMPORTS.filter(isRefused)).toEqual([]);
  });

  test("refuses its sample", () => {
    expect(isRefused({ from, to })).toBe(true);
  });
});

test("an area uses another one only through its area.ts", () => {
  const inside = IMPORTS.filter(({ from, to }) => {
    const [area, used] = [areaOf(from), areaOf(to)];
    return area !== undefined && used !== undefined && used !== area && !to.endsWith("/area.ts");
  });
  expect(inside).toEqual([]);
});

test("an area uses only areas that stand before it in AREAS", () => {
  const order = AREAS.map(({ name }) => name);
  const later = IMPORTS.flatMap(({ from, to }) => {
    const [area, used] = [areaOf(from), areaOf(to)];
    if (area === undefined || used === undefined) return [];
    return order.indexOf(used) > order.indexOf(area) ? [`${from} -> ${to}`] : [];
  });
  expect(later).toEqual([]);
  expect(order.toSorted()).toEqual(readdirSync("src/areas", { withFileTypes: true }).flatMap(folderName).toSorted());
});

test("the kernel names nothing that an area exports, and no table of an area", () => {
  const names = globSync("src/areas/*/**/*.ts").flatMap((file) => {
    const area = areaOf(file)?.replace(/s$/, "");
    return exportsIn(readFileSync(file, "utf8")).filter(
      (name) => area !== undefined && new RegExp(area, "i").test(name),
    );
  });
  expect(names).toContain("GroupsContext");
  const entities = AREAS.flatMap((area) => [...(area.controlEntities ?? []), ...(area.namespaceEntities ?? [])]);
  const tables = entities.map((entity) => `{${entity.meta.tableName}}`);
  expect(tables).toContain("{sessions}");
  const named = globSync("src/kernel/**/*.ts").flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const words = new Set(text.match(/[\w$]+|\{\w+\}/g));
    return [...names, ...tables].filter((name) => words.has(name)).map((name) => `${file}: ${name}`);
  });
  expect(named).toEqual([]);
});

test("no files import each other in a circle", () => {
  expect(cycleOf(IMPORTS)).toBeUndefined();
});

test("an import of a type, a re-export and a dynamic import are all seen", () => {
  const text = `import type { A } from "./a.ts";\nexport { b } from "../b.ts";\nconst c = await import("c");\nimport "./d.ts";`;
  expect(importsIn("src/x/y.ts", text).map(({ to }) => to)).toEqual(["src/x/a.ts", "src/b.ts", "c", "src/x/d.ts"]);
});

test("the client has no cycle of imports", () => {
  expect(cycleOf(IMPORTS.filter(({ from }) => from.startsWith("clients/")))).toBeUndefined();
});

test("a cycle of imports is found", () => {
  const imports = [
    { from: "a", to: "b" },
    { from: "b", to: "c" },
  ];
  expect(cycleOf(imports)).toBeUndefined();
  expect(cycleOf([...imports, { from: "c", to: "b" }])).toEqual(["b", "c", "b"]);
});
