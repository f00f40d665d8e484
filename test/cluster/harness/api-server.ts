// A real kube-apiserver on 127.0.0.1 with etcd in the same process, RBAC on and its data in a
// temporary directory, for one test file.
//
// In: users, feature gates, flags. Out: a ready server, credentials, and the faults the tests cause.
// Always: port, certificate, tokens and data stay the same over kill and restart; close() (or the
// end of the test process) ends the server and removes the directory.
//
// No controller-manager runs: nobody creates default service accounts, finalises namespaces or
// collects garbage. test/fakes/kubelet.ts does what the tests need of that.
//
// What makes a server say 410 (observed with v1.34.4; api-server.test.ts holds it to that):
//
//   request with an old resourceVersion      after compact()         after expireHistory()
//   watch, watch cache on (the default)      served from the cache   410 in an ERROR event
//   watch, watchCache: false                 410 in an ERROR event   410 in an ERROR event
//   list, next page (continue), cache on     served from the cache   HTTP status 410
//   list, next page, watchCache: false       HTTP status 410         HTTP status 410
//
// With the watch cache on, a bare restart() is enough whenever anything at all was written since: the
// new cache knows no event before its first list. Where nothing was written a watch resumes. With
// watchCache: false a watch resumes over restarts until compact(). A watch that runs goes on over a
// compaction: end it with restart() or with relay.ts to make its next request the refused one.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

import { apiserverBinary } from "./build.ts";
import { ApiClient, type KubeObject } from "./client.ts";
import { makeScratch, removeScratch } from "./scratch.ts";
import { ServerProcess } from "./server-process.ts";
import { waitFor } from "./wait.ts";

export interface User {
  readonly name: string;
  readonly groups?: readonly string[];
  /** Made up where absent. */
  readonly token?: string;
}

export interface ApiServerOptions {
  /** Static-token users beside `admin`; they may do what RBAC grants them. */
  readonly users?: readonly User[];
  /** E.g. `{ WatchList: false }`: the server then refuses sendInitialEvents, as one before 1.32 does. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** False: watches and lists are served by etcd, so that history ends where compact() says. */
  readonly watchCache?: boolean;
  /** Further flags of kube-apiserver; a later one wins. */
  readonly flags?: readonly string[];
}

export const ADMIN = "admin";

const START_LIMIT_MS = 120_000;
// Outside the range from which Linux takes ports of outgoing connections: one of those could hold
// our port while the server is down.
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const SYSTEM_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

const freePort = (): Promise<number> =>
  waitFor("a free port on 127.0.0.1", 10_000, async () => {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    return (await isFree(port)) ? port : undefined;
  });

const running = new Set<ApiServer>();
// Before the directories go.
process.prependListener("exit", () => {
  for (const server of running) server.abandon();
});

export class ApiServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  /** Everything the server wrote to its standard error, over all restarts. */
  readonly logFile: string;
  readonly #binary: string;
  readonly #tokens = new Map<string, string>();
  #options: ApiServerOptions;
  #process: ServerProcess | undefined;
  #admin: ApiClient | undefined;

  private constructor(binary: string, port: number, options: ApiServerOptions) {
    this.#binary = binary;
    this.#options = options;
    this.port = port;
    this.url = `https://127.0.0.1:${port}`;
    this.directory = makeScratch();
    this.logFile = path.join(this.directory, "kube-apiserver.log");
    const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    writeFileSync(this.#serviceAccountKey, key.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  }

  /** A server that is ready. Takes some three seconds, and minutes once where the binary is not built. */
  static async start(options: ApiServerOptions = {}): Promise<ApiServer> {
    const server = new ApiServer(await apiserverBinary(), await freePort(), options);
    running.add(server);
    try {
      await server.#run();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** The certificate that signed the server's; exists from the first start on. */
  get caFile(): string {
    return path.join(this.directory, "certificates", "apiserver.crt");
  }

  get adminToken(): string {
    return this.token(ADMIN);
  }

  get pid(): number {
    return this.#current.pid;
  }

  /** The client of `admin`, who may do everything. `admin.as(token)` gives that of another. */
  get admin(): ApiClient {
    if (!this.#admin) throw new Error("kube-apiserver has not started yet");
    return this.#admin;
  }

  token(user: string): string {
    const token = this.#tokens.get(user);
    if (token === undefined) throw new Error(`no user ${user}: name it in the options of ApiServer.start`);
    return token;
  }

  /** Writes a kubeconfig for a static-token user, or for any token, and gives the file's path. */
  kubeconfig(user: string, token = this.token(user)): string {
    const file = path.join(this.directory, `kubeconfig-${user.replaceAll(/[^\w.-]/g, "_")}`);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster: { server: this.url, "certificate-authority": this.caFile } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: "test", context: { cluster: "test", user } }],
      "current-context": "test",
    };
    writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
    return file;
  }

  /**
   * A bound token of a service account, as a pod gets it. Deleting the account revokes it: within
   * some ten seconds, for which the server remembers a token that it has accepted. The server
   * refuses less than 600 s.
   */
  async serviceAccountToken(namespace: string, name: string, seconds = 3600): Promise<string> {
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } };
    const reply = await this.admin.request<KubeObject & { readonly status: { readonly token: string } }>(
      "POST",
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      request,
    );
    return reply.status.token;
  }

  /** Ends the server as an administrator would; restart() brings it back with its data. */
  async stop(): Promise<void> {
    await this.#current.stop();
    this.#admin?.disconnect();
  }

  /** Ends the server as a power cut would; restart() brings it back with its data. */
  async kill(): Promise<void> {
    await this.#current.kill();
    this.#admin?.disconnect();
  }

  /** Kills the server where it runs and starts it with the same port and data, ready on return. */
  async restart(changes: ApiServerOptions = {}): Promise<void> {
    await this.kill();
    this.#options = { ...this.#options, ...changes };
    await this.#run();
  }

  /** Leaves connections open and answers nothing (SIGSTOP), until resume(). */
  async pause(): Promise<void> {
    await this.#current.pause();
  }

  resume(): void {
    this.#current.resume();
  }

  /** Makes etcd forget every revision but the present one, which is returned. See the table above. */
  async compact(): Promise<number> {
    const answer = await this.#current.ask("compact");
    const revision = /^compacted (\d+)$/.exec(answer)?.[1];
    if (revision === undefined) throw new Error(`etcd did not compact: ${answer}`);
    return Number(revision);
  }

  /** After this every resourceVersion that was handed out before is answered with 410. */
  async expireHistory(): Promise<void> {
    // Without events in between nothing is too old; etcd forgives the distance of one. No agent
    // watches config maps.
    const filler: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "kube-public", name: "history-filler" } };
    await this.admin.create(filler);
    await this.admin.delete(filler);
    await this.compact();
    await this.restart();
  }

  /** Ends the server and removes its directory. */
  async close(): Promise<void> {
    await this.#process?.kill();
    this.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What close() does, for an exiting process, which cannot wait. */
  abandon(): void {
    running.delete(this);
    this.#process?.killNow();
    this.#admin?.disconnect();
    removeScratch(this.directory);
  }

  get #current(): ServerProcess {
    if (!this.#process) throw new Error("kube-apiserver has not started yet");
    return this.#process;
  }

  get #serviceAccountKey(): string {
    return path.join(this.directory, "service-account.key");
  }

  #writeTokens(): string {
    const users: readonly User[] = [{ name: ADMIN, groups: ["system:masters"] }, ...(this.#options.users ?? [])];
    const lines = users.map(({ name, groups = [], token = this.#tokens.get(name) ?? randomBytes(16).toString("hex") }) => {
      this.#tokens.set(name, token);
      return `${token},${name},${name},"${groups.join(",")}"\n`;
    });
    const file = path.join(this.directory, "tokens.csv");
    writeFileSync(file, lines.join(""), { mode: 0o600 });
    return file;
  }

  #flags(): string[] {
    const { featureGates = {}, watchCache = true, flags = [] } = this.#options;
    const gates = Object.entries(featureGates).map(([name, on]) => `${name}=${on}`);
    return [
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${this.port}`,
      // Nothing serves behind the `kubernetes` service, and a loopback address is refused there.
      "--endpoint-reconciler-type=none",
      `--cert-dir=${path.dirname(this.caFile)}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${this.#serviceAccountKey}`,
      `--service-account-signing-key-file=${this.#serviceAccountKey}`,
      `--token-auth-file=${this.#writeTokens()}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.96.0.0/16",
      // It would refuse every pod whose namespace has no `default` service account yet.
      "--disable-admission-plugins=ServiceAccount",
      `--watch-cache=${watchCache}`,
      ...(gates.length === 0 ? [] : [`--feature-gates=${gates.join(",")}`]),
      ...flags,
    ];
  }

  async #run(): Promise<void> {
    const server = new ServerProcess(this.#binary, [path.join(this.directory, "etcd"), ...this.#flags()], this.logFile);
    this.#process = server;
    try {
      await waitFor("kube-apiserver to be ready", START_LIMIT_MS, async () => {
        if (!server.running) throw new Error("kube-apiserver ended while starting");
        return (await this.#isReady()) ? true : undefined;
      });
    } catch (error) {
      throw new Error(`kube-apiserver did not get ready. It said last:\n${server.lastWords}`, { cause: error });
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      const admin = this.#admin ?? new ApiClient({ url: this.url, ca: readFileSync(this.caFile, "utf8"), token: this.adminToken });
      if ((await admin.status("/readyz")) !== 200) return false;
      const namespaces = await admin.list({ apiVersion: "v1", kind: "Namespace" });
      this.#admin = admin;
      return SYSTEM_NAMESPACES.every((name) => namespaces.items.some((item) => item.metadata.name === name));
    } catch {
      // It has not written its certificate, or does not listen yet: asked again until the limit.
      return false;
    }
  }
}
