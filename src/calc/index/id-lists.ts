// Very many lists of small integers, most of them short, in two typed arrays: 16 bytes for a list and 8 for an entry, where an
// array or a Set of its own would cost ten times that. A list is a handle; its entries are a chain of cells.
//
// Removal is lazy, because finding an entry would mean walking its list (one list holds every pod of the cluster): drop() only
// counts, and sweeps when half of the list has gone. So a list may hold ids that do not belong to it any more, and may hold an id
// twice; whoever reads it must check what it finds.

const none = -1;

export class IdLists {
  // Cells: an id and the next cell. Freed cells are chained through #next.
  #ids = new Int32Array(1024);
  #next = new Int32Array(1024);
  #cells = 0;
  #freeCell = none;
  // Lists: first cell, number of entries, number of those that were dropped. Freed lists are chained through #first.
  #first = new Int32Array(256);
  #length = new Int32Array(256);
  #dropped = new Int32Array(256);
  #lists = 0;
  #freeList = none;

  /** A new list with one entry. */
  create(id: number): number {
    let list = this.#freeList;
    if (list === none) {
      list = this.#lists;
      this.#lists += 1;
      if (list === this.#first.length) {
        this.#first = grown(this.#first);
        this.#length = grown(this.#length);
        this.#dropped = grown(this.#dropped);
      }
    } else {
      this.#freeList = at(this.#first, list);
    }
    this.#first[list] = none;
    this.#length[list] = 0;
    this.#dropped[list] = 0;
    this.add(list, id);
    return list;
  }

  add(list: number, id: number): void {
    let cell = this.#freeCell;
    if (cell === none) {
      cell = this.#cells;
      this.#cells += 1;
      if (cell === this.#ids.length) {
        this.#ids = grown(this.#ids);
        this.#next = grown(this.#next);
      }
    } else {
      this.#freeCell = at(this.#next, cell);
    }
    this.#ids[cell] = id;
    this.#next[cell] = at(this.#first, list);
    this.#first[list] = cell;
    this.#length[list] = at(this.#length, list) + 1;
  }

  /**
   * Says that one entry of the list is gone; `belongs` tells for any id whether it is in the list now. True when the list was found
   * empty: its handle is then free and must be forgotten.
   */
  drop(list: number, belongs: (id: number) => boolean): boolean {
    const dropped = at(this.#dropped, list) + 1;
    this.#dropped[list] = dropped;
    if (dropped * 2 < at(this.#length, list)) return false;
    this.#sweep(list, belongs);
    if (at(this.#length, list) > 0) return false;
    this.#first[list] = this.#freeList;
    this.#freeList = list;
    return true;
  }

  /** Number of entries, those that are gone or double included. */
  length(list: number): number {
    return at(this.#length, list);
  }

  /** Calls back for each entry; the lists must not be changed meanwhile. */
  each(list: number, visit: (id: number) => void): void {
    for (let cell = at(this.#first, list); cell !== none; cell = at(this.#next, cell)) visit(at(this.#ids, cell));
  }

  #sweep(list: number, belongs: (id: number) => boolean): void {
    const kept = new Set<number>();
    let previous = none;
    for (let cell = at(this.#first, list); cell !== none; ) {
      const id = at(this.#ids, cell);
      const next = at(this.#next, cell);
      if (!kept.has(id) && belongs(id)) {
        kept.add(id);
        previous = cell;
      } else {
        if (previous === none) this.#first[list] = next;
        else this.#next[previous] = next;
        this.#next[cell] = this.#freeCell;
        this.#freeCell = cell;
      }
      cell = next;
    }
    this.#length[list] = kept.size;
    this.#dropped[list] = 0;
  }
}

function at(cells: Int32Array, index: number): number {
  return cells[index] as number;
}

function grown(cells: Int32Array): Int32Array<ArrayBuffer> {
  // Doubling would leave tens of megabytes unused in the largest clusters.
  const larger = new Int32Array(Math.ceil(cells.length * (cells.length < 100_000 ? 2 : 1.25)));
  larger.set(cells);
  return larger;
}
