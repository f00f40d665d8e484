// What the driver does besides applying: small jobs, each of which says when it is due.

export interface Job {
  readonly name: string;
  /** Clock time; undefined: not at all for now. */
  readonly dueAt: () => number | undefined;
  readonly run: () => Promise<void>;
}

/** The first job that is due, in the order of the list. */
export function dueJob(jobs: readonly Job[], now: number): Job | undefined {
  return jobs.find((job) => {
    const due = job.dueAt();
    return due !== undefined && due <= now;
  });
}

/** When the next job will be due; undefined when none is planned. */
export function nextDue(jobs: readonly Job[]): number | undefined {
  let next: number | undefined;
  for (const job of jobs) {
    const due = job.dueAt();
    if (due !== undefined && (next === undefined || due < next)) next = due;
  }
  return next;
}
