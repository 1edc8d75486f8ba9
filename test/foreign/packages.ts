import { attempt, run } from "./commands.ts";

/** The Debian packages that bring the foreign clients, by the file that shows that they are there. */
const PACKAGES = {
  "python3-grpcio": "/usr/lib/python3/dist-packages/grpc/__init__.py",
  "python3-protobuf": "/usr/lib/python3/dist-packages/google/protobuf/__init__.py",
  "protobuf-compiler": "/usr/bin/protoc",
  "protobuf-compiler-grpc": "/usr/bin/grpc_cpp_plugin",
  "libgrpc++-dev": "/usr/include/grpcpp/grpcpp.h",
  "libprotobuf-dev": "/usr/include/google/protobuf/message.h",
  "g++": "/usr/bin/g++",
  "pkg-config": "/usr/bin/pkg-config",
  chromium: "/usr/bin/chromium",
  curl: "/usr/bin/curl",
} as const;

const INSTALL_TIMEOUT_MS = 600_000;

/** Installs those that are missing. Throws with the command to type when that needs another user or system. */
export async function installPackages(): Promise<void> {
  const missing: string[] = [];
  for (const [name, file] of Object.entries(PACKAGES)) {
    if ((await attempt("test", ["-e", file])).code !== 0) missing.push(name);
  }
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) throw new Error(`packages are missing; install them as root: ${command}`);
  console.log(`installing ${missing.join(", ")}`);
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: INSTALL_TIMEOUT_MS };
  await run("apt-get", ["update"], options);
  await run("apt-get", [...command.split(" ").slice(1), "-o", "DPkg::Lock::Timeout=300"], options);
}
