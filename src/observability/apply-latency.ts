// What becomes of the news that the kernel has a change: an entry in the latency histogram and in the status, and a line in the log
// for whoever asked for debug.
//
// In: when the change was received and when the kernel acknowledged it, both in milliseconds of the monotonic clock.

import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { StatusBoard } from './status.ts';

/** To be called by the dataplane for each change that is in the kernel. */
export function applyRecorder(metrics: Metrics, status: StatusBoard, log: Logger): (receivedAt: number, acknowledgedAt: number) => void {
  return (receivedAt, acknowledgedAt) => {
    const milliseconds = acknowledgedAt - receivedAt;
    metrics.observe('caracal_apply_seconds', milliseconds / 1000);
    status.setApplied({ at: Date.now(), milliseconds });
    log.debug({ milliseconds }, 'the kernel has a change');
  };
}
