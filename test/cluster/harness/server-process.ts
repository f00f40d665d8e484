// One run of the kube-apiserver binary: its pipes, its signals, its end. It never outlives this
// process: the end of its standard input and the death of its parent each end it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";

import { waitFor, within } from "./wait.ts";

const STOP_LIMIT_MS = 20_000;
const KILL_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 20_000;
const LOG_TAIL_LINES = 15;

export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<void>;
  readonly #answers: ((line: string) => void)[] = [];

  constructor(binary: string, args: readonly string[], logFile: string) {
    this.#logFile = logFile;
    const log = openSync(logFile, "a");
    const child = spawn(binary, args, { stdio: ["pipe", "pipe", log] });
    closeSync(log);
    this.#child = child;
    child.on("error", () => undefined);
    if (child.pid === undefined) throw new Error(`${binary} does not start: is it built for this machine?`);
    this.pid = child.pid;
    this.#exited = once(child, "exit").then(() => undefined);
    // Written to after its end, which the caller learns from the missing answer.
    child.stdin?.on("error", () => undefined);
    if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => this.#answers.shift()?.(line));
    // A test that forgot to close its server must end, not hang.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its last words, for error messages. */
  get lastWords(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  }

  /** Sends one line and gives the line that answers it. */
  async ask(line: string): Promise<string> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.#child.stdin?.write(`${line}\n`);
    return within(`kube-apiserver's answer to "${line}"`, ANSWER_LIMIT_MS, answer);
  }

  /** SIGTERM, and SIGKILL for what ignores it. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.#child.kill("SIGTERM");
    this.#child.kill("SIGCONT");
    try {
      await within("kube-apiserver to end", STOP_LIMIT_MS, this.#exited);
    } catch {
      await this.kill();
    }
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    this.#child.kill("SIGKILL");
    await within("a killed kube-apiserver to end", KILL_LIMIT_MS, this.#exited);
  }

  /** For an exiting process, which cannot wait. */
  killNow(): void {
    if (this.running) this.#child.kill("SIGKILL");
  }

  /** Stops it in mid-air: connections stay open and nothing answers. Returns once it has stopped. */
  async pause(): Promise<void> {
    this.#child.kill("SIGSTOP");
    await waitFor("kube-apiserver to stop", KILL_LIMIT_MS, () => (this.#state() === "T" ? true : undefined));
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  #state(): string | undefined {
    return /\) (\S)/.exec(readFileSync(`/proc/${this.pid}/stat`, "utf8"))?.[1];
  }
}
