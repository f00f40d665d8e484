// inotify on one directory. It only says "look": at one file, or at all of them where the name tells nothing. Rings may be lost
// (a full queue, a directory that was replaced); whoever listens also looks around from time to time.

import { type FSWatcher, watch } from 'node:fs';

export interface Ring {
  /** Absent: anything may have changed. */
  readonly file?: string;
  /** True where contents or attributes changed in place; false where a name came, went or was moved over. */
  readonly inPlace: boolean;
}

export class Doorbell {
  #watcher: FSWatcher | undefined;

  /** @throws when the directory can't be watched. */
  constructor(directory: string, onRing: (ring: Ring) => void, onFailure: (cause: Error) => void) {
    this.#watcher = watch(directory, (event, name) => {
      onRing({ inPlace: event === 'change', ...(name === null ? {} : { file: name }) });
    });
    this.#watcher.on('error', (cause) => {
      this.close();
      onFailure(cause);
    });
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
