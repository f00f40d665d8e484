// The few packets of many that say most about a world: each feature of it decides about one if it decides about any, each reason for
// a verdict occurs, and of the rest as many are allowed as are denied.

import type { Packet } from '../../../src/model/packet.ts';
import type { Judge, Verdict, World } from '../../../src/model/verdict.ts';
import { judge } from '../../../src/verdict/judge.ts';
import type { Feature } from '../../property/features.ts';

/** Up to `count` of the candidates; more only if there are more features. */
export function informativePackets(world: World, judged: Judge, features: readonly Feature[], candidates: readonly Packet[], count: number): readonly Packet[] {
  const verdicts = candidates.map((packet) => judged.verdict(packet));
  const chosen = new Set<number>();
  const need = (deciding: readonly number[]): void => {
    const [first] = deciding;
    if (first !== undefined && !deciding.some((index) => chosen.has(index))) chosen.add(first);
  };
  for (const feature of features) {
    const other = feature.without(world, judged.invalid);
    if (other === undefined) continue;
    const otherwise = judge(other);
    need(indicesOf(candidates, (packet, index) => otherwise.verdict(packet).action !== verdicts[index]?.action));
  }
  for (const reason of new Set(verdicts.map(reasonOf))) need(indicesOf(verdicts, (verdict) => reasonOf(verdict) === reason));
  for (let index = 0; chosen.size < Math.min(count, candidates.length) && index < candidates.length; index += 1) {
    if (!chosen.has(index) && verdicts[index]?.action === scarcer(chosen, verdicts)) chosen.add(index);
  }
  return [...chosen].flatMap((index) => candidates[index] ?? []);
}

function indicesOf<T>(list: readonly T[], holds: (value: T, index: number) => boolean): readonly number[] {
  return list.flatMap((value, index) => (holds(value, index) ? [index] : []));
}

function reasonOf({ decisions }: Verdict): string {
  return decisions.map(({ direction, action, reason }) => `${direction} ${action} ${reason}`).join();
}

function scarcer(chosen: ReadonlySet<number>, verdicts: readonly Verdict[]): 'allow' | 'deny' {
  const allowed = [...chosen].filter((index) => verdicts[index]?.action === 'allow').length;
  return 2 * allowed > chosen.size ? 'deny' : 'allow';
}
