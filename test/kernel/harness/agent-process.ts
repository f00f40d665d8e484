// The whole agent, started as an operator would: bin/caracal with nothing but PATH and its parameters in the environment, inside
// the network namespace of a node.
//
// In: a namespace and parameters. Out: its log as objects, its health pages, its exit. It dies with the process that started it.

import type { Namespace } from './namespace.ts';
import { readLines } from '../../../src/dataplane/line-reader.ts';
import { waitFor } from '../../cluster/harness/wait.ts';

const HEALTH_PORT = 9099;
const METRICS_PORT = 9091;
const PROGRAM = new URL('../../../bin/caracal', import.meta.url).pathname;

export interface LogLine {
  readonly level: string | number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface AgentProcessOptions {
  readonly netns: Namespace;
  readonly nodeName: string;
  /** A directory of its own, for the lock. */
  readonly runDirectory: string;
  /** FELIX_*, DATASTORE_TYPE, … */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface Page {
  readonly status: number;
  readonly body: string;
}

export class AgentProcess {
  readonly log: LogLine[] = [];
  /** What it printed that is no log line: usage errors, stack traces. */
  errors = '';
  /** Exit code, or the signal that ended it; undefined while it runs. */
  ended: number | string | undefined;
  readonly #netns: Namespace;
  readonly #healthPort: string;
  readonly #child: ReturnType<Namespace['spawn']>;
  readonly #exit: Promise<number | string>;

  private constructor(options: AgentProcessOptions) {
    this.#netns = options.netns;
    this.#healthPort = options.env?.['FELIX_HEALTHPORT'] ?? String(HEALTH_PORT);
    this.#child = options.netns.spawn(PROGRAM, ['run', ...(options.args ?? [])], {
      cwd: '/',
      env: {
        PATH: process.env['PATH'],
        NODENAME: options.nodeName,
        CARACAL_RUN_DIRECTORY: options.runDirectory,
        FELIX_IPTABLESLOCKFILEPATH: options.netns.lockFile,
        FELIX_HEALTHENABLED: 'true',
        FELIX_HEALTHHOST: '127.0.0.1',
        FELIX_HEALTHPORT: this.#healthPort,
        FELIX_PROMETHEUSMETRICSENABLED: 'true',
        FELIX_PROMETHEUSMETRICSPORT: String(METRICS_PORT),
        ...options.env,
      },
    });
    readLines(this.#child.stdout, (line) => {
      try {
        this.log.push(JSON.parse(line) as LogLine);
      } catch {
        this.errors += `${line}\n`;
      }
    });
    readLines(this.#child.stderr, (line) => {
      this.errors += `${line}\n`;
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.ended = code ?? signal ?? 'unknown';
        resolve(this.ended);
      });
    });
  }

  static start(options: AgentProcessOptions): AgentProcess {
    return new AgentProcess(options);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A health page, asked inside the namespace; status 0 when nobody answers. */
  async page(path: '/readiness' | '/liveness'): Promise<Page> {
    return this.#fetch(`http://127.0.0.1:${this.#healthPort}${path}`);
  }

  /** The value of a metric by its name and labels as they are printed; undefined where it has none. */
  async metric(name: string): Promise<number | undefined> {
    const { body } = await this.#fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`);
    const line = body.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  async #fetch(url: string): Promise<Page> {
    const script = `fetch('${url}').then(async (r) => console.log(JSON.stringify({ status: r.status, body: await r.text() })),
      () => console.log('{"status":0,"body":""}'))`;
    const { stdout } = await this.#netns.run(process.execPath, ['-e', script]);
    return JSON.parse(stdout) as Page;
  }

  /** Waits until /readiness says 200. Rejects with the reasons in its body, or with what the agent printed when it ended. */
  async ready(limitMs = 30_000): Promise<void> {
    await this.readiness(`the agent to be ready`, (page) => page.status === 200, limitMs);
  }

  /** Waits until the readiness page is as it should be. */
  async readiness(what: string, right: (page: Page) => boolean, limitMs = 30_000): Promise<Page> {
    let last: Page = { status: 0, body: '' };
    try {
      await waitFor(what, limitMs, async () => {
        if (this.ended !== undefined) throw new Error(`the agent ended (${this.ended})`);
        last = await this.page('/readiness');
        return right(last) ? last : undefined;
      });
      return last;
    } catch (error) {
      throw new Error(`${what}: readiness is ${last.status} ${last.body}\nagent's log:\n${this.tail()}`, { cause: error });
    }
  }

  /** Waits for a log line, those already written included. */
  async logged(what: string, right: (line: LogLine) => boolean, limitMs = 30_000): Promise<LogLine> {
    try {
      return await waitFor(`the agent to log ${what}`, limitMs, () => this.log.find(right));
    } catch (error) {
      throw new Error(`the agent did not log ${what}; its log:\n${this.tail()}`, { cause: error });
    }
  }

  /** The end of its log, for messages. */
  tail(lines = 25): string {
    return `${this.log.slice(-lines).map((line) => JSON.stringify(line)).join('\n')}\n${this.errors}`;
  }

  /** SIGTERM and wait; resolves with the exit code or signal. */
  async stop(): Promise<number | string> {
    if (this.ended === undefined) this.#child.kill('SIGTERM');
    return this.#exit;
  }

  /** SIGKILL and wait. */
  async kill(): Promise<void> {
    if (this.ended === undefined) this.#child.kill('SIGKILL');
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

