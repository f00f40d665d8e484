// The kube-apiserver binary of the tests: built from Go modules once per version of its sources and
// kept in the user's cache directory, outside the tree, where every checkout finds it.
//
// In: KUBE_APISERVER (a binary built from ../apiserver, used as it is), XDG_CACHE_HOME, `go` on PATH.
// Out: the path of an executable. Concurrent callers build once: the others wait for the first.
//
// Run as a program it builds up front and prints the path: node test/cluster/harness/build.ts

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

const MODULE = path.join(import.meta.dirname, "..", "apiserver");
const VERSION = "v1.34.4";
const LIMIT_SECONDS = 1800;
const LOCK_TIMED_OUT = 75;

const LINKER_FLAGS = [
  "-s -w",
  `-X k8s.io/component-base/version.gitVersion=${VERSION}`,
  "-X k8s.io/component-base/version.gitMajor=1",
  "-X k8s.io/component-base/version.gitMinor=34",
].join(" ");

// flock(1) holds the lock, so that a builder which dies leaves none behind. The rename is what
// makes the binary appear, whole.
const BUILD_UNLESS_BUILT = `
test -x "$1" && exit 0
go build -trimpath -ldflags "$2" -o "$1.$$" . && mv "$1.$$" "$1" && exit 0
status=$?; rm -f "$1.$$"; exit $status`;

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const cachedBinary = (): string => {
  const hash = createHash("sha256").update(LINKER_FLAGS);
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(readFileSync(path.join(MODULE, file)));
  const cache = process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.join(cache, "caracal", `kube-apiserver-${hash.digest("hex").slice(0, 16)}`);
};

/** Go before 1.21 cannot fetch the toolchain that go.mod asks for, and fails with a riddle. */
const requireGo = (): void => {
  const remedy =
    "Install Go 1.21 or newer (apt-get install golang-go), or set KUBE_APISERVER to a binary built from test/cluster/apiserver.";
  const result = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  if (result.error) {
    throw new Error(`The kube-apiserver of the tests is built with Go, which does not run. ${remedy}`, { cause: result.error });
  }
  const version = /^go1\.(\d+)/.exec(result.stdout.trim());
  if (!version || Number(version[1]) < 21) {
    throw new Error(`The kube-apiserver of the tests needs a newer Go than ${result.stdout.trim() || "the one on PATH"}. ${remedy}`);
  }
};

const build = (binary: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const lock = ["--wait", String(LIMIT_SECONDS), "--conflict-exit-code", String(LOCK_TIMED_OUT), `${binary}.lock`];
    const child = spawn("flock", [...lock, "sh", "-c", BUILD_UNLESS_BUILT, "build", binary, LINKER_FLAGS], {
      cwd: MODULE,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-4000);
    });
    child.on("error", (cause) => reject(new Error("flock does not run; install it with apt-get install util-linux.", { cause })));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else if (code === LOCK_TIMED_OUT) {
        reject(new Error(`Another process has been building kube-apiserver for ${LIMIT_SECONDS} s. End it, then try again.`));
      } else reject(new Error(`Building kube-apiserver failed (exit status ${code}). Go says:\n${complaint.trim()}`));
    });
  });

/** Path of the kube-apiserver binary; the first call on a machine builds it, which takes minutes. */
export const apiserverBinary = async (): Promise<string> => {
  const given = process.env["KUBE_APISERVER"];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`KUBE_APISERVER=${given} is not an executable file. Correct it, or unset it to have one built.`);
  }
  const binary = cachedBinary();
  if (isExecutable(binary)) return binary;
  requireGo();
  mkdirSync(path.dirname(binary), { recursive: true });
  process.stderr.write(`building kube-apiserver ${VERSION} from Go modules, once; this takes two to five minutes ...\n`);
  const started = performance.now();
  await build(binary);
  process.stderr.write(`kube-apiserver is there after ${Math.round((performance.now() - started) / 1000)} s\n`);
  return binary;
};

if (import.meta.main) {
  try {
    process.stdout.write(`${await apiserverBinary()}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
