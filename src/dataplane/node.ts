// The node as the dataplane finds it: looked at before the first write, then the tools of its iptables backend, opened.
//
//   both backends' rules ──▶ which backend ──▶ survey of leftovers ──▶ doorbell ──▶ tools
//
// Out: the tools of the seam (kernel.ts) and a doorbell that rings for what others change. Nothing is written here but the
// coprocesses' traces. Native tables of Calico's nftables dataplane keep the node not ready until somebody has removed them: they
// would go on dropping packets.

import type { Clock, Timer } from '../lib/clock.ts';
import type { HealthReporter } from '../lib/health.ts';
import type { Logger } from '../lib/logger.ts';
import type { Family } from '../model/packet.ts';
import type { BackendSetting } from './backend.ts';
import { chooseBackend } from './backend.ts';
import type { CommandRunner } from './command.ts';
import type { Doorbell, Ring } from './doorbell.ts';
import { LegacyDoorbell } from './doorbell-legacy.ts';
import { NftDoorbell } from './doorbell-nft.ts';
import type { HostRules } from './host-rules.ts';
import { readHostRules } from './host-rules.ts';
import type { RuleTool, SetTool } from './kernel.ts';
import { isOwnChain } from './render/names.ts';
import type { Survey } from './survey.ts';
import { describeSurvey, missingTools, survey } from './survey.ts';
import type { Backend } from './tools.ts';
import { openRules, openSets } from './tools.ts';

export interface NodeOptions {
  readonly runner: CommandRunner;
  readonly backend: BackendSetting;
  /** For which rules are written. */
  readonly families: readonly Family[];
  readonly coprocesses: boolean;
  readonly lockFile: string;
  readonly lockSeconds: number;
  readonly logger: Logger;
  readonly health: HealthReporter;
  readonly clock: Clock;
  readonly onRing: (ring: Ring) => void;
}

export interface KernelNode {
  readonly backend: Backend;
  readonly ruleTools: readonly RuleTool[];
  readonly sets: SetTool;
  close(): Promise<void>;
}

/** How often it is looked whether somebody has removed what keeps the node not ready. */
const LOOK_AGAIN_MS = 10_000;

/** Rejects with ToolMissing, which names the package. */
export async function openNode(options: NodeOptions): Promise<KernelNode> {
  const { runner, families, coprocesses, lockSeconds, logger, clock } = options;
  await using opened = new AsyncDisposableStack();
  const rules = await readHostRules(runner, [4, 6]);
  const { backend, reason, warning } = chooseBackend(rules, options.backend);
  logger.info({ backend, reason }, `iptables backend: ${backend}`);
  if (warning !== undefined) logger.warn({}, warning);
  const [missing] = await missingTools(runner, backend, families);
  if (missing !== undefined) throw missing;
  opened.use(await lookAround(options, rules, backend));

  const doorbell: Doorbell =
    backend === 'nft'
      ? new NftDoorbell({ runner, onRing: options.onRing, logger, clock })
      : new LegacyDoorbell({ runner, onRing: options.onRing, lockFile: options.lockFile, logger, clock });
  opened.defer(() => doorbell.close());
  await doorbell.listening();

  const ruleTools: RuleTool[] = [];
  const common = { runner, coprocess: coprocesses, logger, clock };
  for (const family of families) {
    const tool = await openRules({ ...common, backend, family, lockSeconds, lockFile: options.lockFile, observer: doorbell.observer });
    opened.defer(() => tool.close());
    ruleTools.push(tool);
  }
  const sets = await openSets(common);
  opened.defer(() => sets.close());
  const parts = opened.move();
  return { backend, ruleTools, sets, close: () => parts.disposeAsync() };
}

/** Reports what lies around, once; and goes on looking while something keeps the node not ready. */
async function lookAround(options: NodeOptions, rules: HostRules, backend: Backend): Promise<Disposable> {
  const { runner, logger, health, clock } = options;
  const look = (read: HostRules): Promise<Survey> => survey({ runner, rules: read, backend, written: new Set(['filter']), isOurs: isOwnChain });
  const blocking = ({ nativeTables }: Survey): boolean => nativeTables.some((table) => table.blocking);
  const report = (found: Survey): void => {
    const blocked = blocking(found);
    const sentences = describeSurvey(found);
    health.report('Node', { live: true, ready: !blocked, detail: [`iptables backend: ${backend}`, ...sentences].join('; ') });
  };
  const found = await look(rules);
  const sentences = describeSurvey(found);
  if (sentences.length > 0) logger.warn({}, sentences.join('. '));
  report(found);

  let timer: Timer | undefined;
  const lookAgain = async (): Promise<void> => {
    const now = await look(rules);
    report(now);
    if (blocking(now)) wait();
    else logger.info({}, 'the nftables tables of Calico are gone');
  };
  const wait = (): void => {
    timer = clock.after(LOOK_AGAIN_MS, () => void lookAgain());
  };
  if (blocking(found)) wait();
  return { [Symbol.dispose]: () => timer?.cancel() };
}
