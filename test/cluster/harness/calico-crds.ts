// Calico's own definitions of its kinds, which are no part of this project: out of a pinned version of Calico's Go module, which the Go
// tool fetches once (9 MB) and keeps in its cache. It is the one that Go takes for the latest (Calico's own version numbers are none to
// Go): that of Calico 3.28, which had neither Tier nor staged policies. CALICO_CRDS=<file> names those of another release, to be tried
// as well.
//
// In: `go` on PATH; the module proxy, the first time. Out: the objects. Whoever cannot have them fails, with the remedy.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { KubeObject } from "./client.ts";
import { crdsIn } from "./crds.ts";

const MODULE = "github.com/projectcalico/calico@v1.11.0-cni-plugin.0.20250813170300-a0db560f0520";
/** As in a go.sum: nothing else is taken for it. */
const SUM = "h1:TXnPEzx4pLWgwzCetIO/VJuz4iBZZrOdNSv16a50YqE=";
const FOLDER = "libcalico-go/config/crd";
const LIMIT_MS = 10 * 60 * 1000;

/** What `go mod download -json` prints. */
interface Download {
  readonly Dir?: string;
  readonly Sum?: string;
  readonly Error?: string;
}

/** The folder of the definitions. */
export const fetchedCalicoCrds = (): string => {
  // Not in a folder with a go.mod, which would have a say.
  const { stdout, stderr, error } = spawnSync("go", ["mod", "download", "-json", MODULE], { cwd: tmpdir(), encoding: "utf8", timeout: LIMIT_MS, env: { ...process.env, GOFLAGS: "", GOWORK: "off" } });
  const remedy = "is Go 1.21 or newer installed (apt-get install golang-go), and the module proxy reachable (go env GOPROXY)?";
  if (error !== undefined) throw new Error(`Calico's definitions come as a Go module, and go does not run; ${remedy}`, { cause: error });
  const { Dir: directory, Sum: sum, Error: complaint = stderr } = (stdout === "" ? {} : JSON.parse(stdout)) as Download;
  if (directory === undefined) throw new Error(`Calico's definitions cannot be fetched; ${remedy} Go says: ${complaint.trim()}`);
  if (sum !== SUM) throw new Error(`${MODULE} has the checksum ${sum}, not ${SUM}: it is not what was tested, do not use it`);
  return path.join(directory, FOLDER);
};

export const calicoDefinitions = (): readonly KubeObject[] => {
  const folder = fetchedCalicoCrds();
  return readdirSync(folder).filter((name) => name.endsWith(".yaml")).flatMap((name) => crdsIn(path.join(folder, name)));
};
