import type { DescEnum, DescMethod, DescService } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { resolve } from "node:path";

/** The numbers that lead to a service and to an enum in a FileDescriptorProto, and to their parts. */
const SERVICE = 6;
const ENUM = 5;
const PART = 2;

/** Every service of satchel.v1, as it is generated. */
export async function services(): Promise<readonly DescService[]> {
  const modules = await Promise.all(
    globSync("src/gen/satchel/v1/*_pb.ts").map((path) => import(resolve(path)) as Promise<object>),
  );
  return modules.flatMap((module) => Object.values(module)).filter(isService);
}

/** The comment above every RPC and every enum value, by `service.method` and `enum.value`. */
export function protoComments(): ReadonlyMap<string, string> {
  const image = execFileSync("node_modules/.bin/buf", [
    "build",
    "--path",
    "proto/satchel",
    "--as-file-descriptor-set",
    "-o",
    "-",
  ]);
  const comments = new Map<string, string>();
  for (const { package: name, service, enumType, sourceCodeInfo } of fromBinary(FileDescriptorSetSchema, image).file) {
    for (const { path, leadingComments } of sourceCodeInfo?.location ?? []) {
      const [kind, outer, part, inner] = path;
      if (path.length !== 4 || part !== PART) continue;
      const owner = kind === SERVICE ? service[outer!] : kind === ENUM ? enumType[outer!] : undefined;
      const member = owner !== undefined && ("method" in owner ? owner.method : owner.value)[inner!];
      if (member) comments.set(`${name}.${owner.name}.${member.name}`, leadingComments);
    }
  }
  return comments;
}

/** The comment of an RPC or of an enum value. */
export function commentOf(
  comments: ReadonlyMap<string, string>,
  owner: DescService | DescEnum,
  member: Pick<DescMethod, "name">,
): string {
  return comments.get(`${owner.typeName}.${member.name}`)?.replaceAll(/\s+/g, " ").trim() ?? "";
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
