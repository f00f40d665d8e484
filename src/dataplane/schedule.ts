// What the driver does besides applying: small jobs, each of which says when it is due.

export interface Job {
  /** For the log: what could not be done. */
  readonly name: string;
  /** It only reads: it waits while reading fails. */
  readonly reads: boolean;
  /** Clock time; undefined: not at all for now. */
  readonly dueAt: () => number | undefined;
  readonly run: () => Promise<void>;
}

/** The first job that is due, in the order of the list; reading ones not before `readNotBefore`. */
export function dueJob(jobs: readonly Job[], now: number, readNotBefore: number): Job | undefined {
  return jobs.find((job) => {
    const due = dueTime(job, readNotBefore);
    return due !== undefined && due <= now;
  });
}

/** When the next job will be due; undefined when none is planned. */
export function nextDue(jobs: readonly Job[], readNotBefore: number): number | undefined {
  let next: number | undefined;
  for (const job of jobs) {
    const due = dueTime(job, readNotBefore);
    if (due !== undefined && (next === undefined || due < next)) next = due;
  }
  return next;
}

function dueTime(job: Job, readNotBefore: number): number | undefined {
  const due = job.dueAt();
  return due === undefined || !job.reads ? due : Math.max(due, readNotBefore);
}
