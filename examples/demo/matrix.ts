// The reachability matrix as a table that a person likes to read: rows send, columns receive, each cell shows TCP and UDP.

import type { Mark } from './scenario.ts';

export interface Cell {
  readonly expected: Mark;
  readonly seen: Mark;
}

export interface Matrix {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** cells[row][column] */
  readonly cells: readonly (readonly Cell[])[];
}

const colours = { passed: '\u001b[32m', dropped: '\u001b[31m', wrong: '\u001b[30;43m', dim: '\u001b[2m', reset: '\u001b[0m' };

/** What one cell shows: two letters, one for each protocol; a dot where the packet does not arrive. */
function letters(mark: Mark): readonly [string, string] {
  return [mark === 'B' || mark === 'T' ? 'T' : '·', mark === 'B' || mark === 'U' ? 'U' : '·'];
}

function cellText(cell: Cell, colour: boolean): string {
  if (cell.expected === '.') return '    ';
  const [tcp, udp] = letters(cell.seen);
  const wrong = cell.seen !== cell.expected;
  if (!colour) return `${tcp} ${udp}${wrong ? '!' : ' '}`;
  if (wrong) return `${colours.wrong}${tcp} ${udp}!${colours.reset}`;
  const paint = (letter: string): string => `${letter === '·' ? colours.dropped : colours.passed}${letter}${colours.reset}`;
  return `${paint(tcp)} ${paint(udp)} `;
}

/** Number of cells that were asked, and how many of them differ from what the scenario expects. */
export function judge(matrix: Matrix): { readonly cells: number; readonly wrong: number } {
  const asked = matrix.cells.flat().filter((cell) => cell.expected !== '.');
  return { cells: asked.length, wrong: asked.filter((cell) => cell.seen !== cell.expected).length };
}

export function formatMatrix(matrix: Matrix, colour: boolean): string {
  const first = Math.max(...matrix.rows.map((row) => row.length), 'from \\ to'.length);
  const width = Math.max(...matrix.columns.map((column) => column.length), 4);
  const dim = (text: string): string => (colour ? `${colours.dim}${text}${colours.reset}` : text);
  const line = (left: string, middle: string, right: string): string =>
    dim(`  ${left}${'─'.repeat(first + 2)}${`${middle}${'─'.repeat(width + 2)}`.repeat(matrix.columns.length)}${right}`);
  const bar = dim('│');
  const pad = ' '.repeat(width - 4);
  return [
    line('┌', '┬', '┐'),
    `  ${bar} ${dim('from \\ to'.padEnd(first))} ${matrix.columns.map((column) => `${bar} ${column.padEnd(width)} `).join('')}${bar}`,
    line('├', '┼', '┤'),
    ...matrix.rows.map((row, index) => {
      const cells = (matrix.cells[index] ?? []).map((cell) => `${bar} ${cellText(cell, colour)}${pad} `).join('');
      return `  ${bar} ${row.padEnd(first)} ${cells}${bar}`;
    }),
    line('└', '┴', '┘'),
  ].join('\n');
}

/** Reads one hand-written row such as ". B T U - B B". */
export function parseRow(text: string): readonly Mark[] {
  const marks = text.trim().split(/\s+/);
  for (const mark of marks) if (!['B', 'T', 'U', '-', '.'].includes(mark)) throw new Error(`not a mark: "${mark}" in "${text}"`);
  return marks as Mark[];
}
