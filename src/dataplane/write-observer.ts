// How the tools tell the doorbells which writes are ours, so that a doorbell rings for the others' only. The tools call, a doorbell
// implements.

export type WriteOutcome = 'done' | 'refused' | 'unknown';

export interface WritingProcess {
  /** As this process sees it. The kernel reports the host's, which differs inside a container. */
  readonly pid: number;
  /**
   * Creates and removes an unreferenced chain of that name in one transaction, so that the kernel's report of it shows the host's
   * process id. Rejects as RuleTool.restore does.
   */
  leaveTrace(chain: string): Promise<void>;
}

export interface WriteObserver {
  /** A coprocess is up. It writes nothing but traces until this resolves. */
  started(process: WritingProcess): Promise<void>;
  ended(process: WritingProcess): void;
  /** A transaction is about to be written; the answer is called once, with its outcome. `process` undefined: a process of its own. */
  writing(transaction: string, process: WritingProcess | undefined): (outcome: WriteOutcome) => void;
}

export const noObserver: WriteObserver = Object.freeze({
  started: () => Promise.resolve(),
  ended: () => {},
  writing: () => () => {},
});
