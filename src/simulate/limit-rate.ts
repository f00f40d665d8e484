// Rates of -m limit. The kernel keeps a period, not a rate, and iptables-save prints the period in the largest unit that fits,
// so what is read back may be spelled differently from what was written ("60/min" becomes "1/sec").

const scale = 10_000;
const units = [
  { name: 'day', word: 'day', period: scale * 24 * 60 * 60 },
  { name: 'hour', word: 'hour', period: scale * 60 * 60 },
  { name: 'min', word: 'minute', period: scale * 60 },
  { name: 'sec', word: 'second', period: scale },
] as const;

/** "10", "10/sec", "10/second", … as iptables-save would print it; undefined when it is no rate. */
export function parseLimit(text: string): string | undefined {
  const [, count, word = 'second'] = /^(\d{1,9})(?:\/([a-z]+))?$/i.exec(text) ?? [];
  const unit = units.find((candidate) => candidate.word.startsWith(word.toLowerCase()));
  if (count === undefined || unit === undefined || Number(count) === 0) return undefined;
  const period = Math.floor(unit.period / Number(count));
  return period === 0 ? undefined : rateText(period);
}

function rateText(period: number): string {
  const next = units.findIndex((unit, i) => i > 0 && (period > unit.period || Math.floor(unit.period / period) < unit.period % period));
  const unit = units[next < 0 ? units.length - 1 : next - 1] as (typeof units)[number];
  return `${Math.floor(unit.period / period)}/${unit.name}`;
}
