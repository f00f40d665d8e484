// A node's kernel, kept equal to a desired state by the real renderer and the real table, with a kernel in memory at the end.
// The order of writing is not what is tested here, only what is there in the end: the driver has tests of its own.

import type { ActiveEndpoint } from '../../src/model/desired.ts';
import type { World } from '../../src/model/verdict.ts';
import { Table } from '../../src/dataplane/iptables/table.ts';
import type { Transaction } from '../../src/dataplane/iptables/transaction.ts';
import { dispatchEntries } from '../../src/dataplane/render/dispatch.ts';
import { endpointChains } from '../../src/dataplane/render/endpoint.ts';
import { marksOf } from '../../src/dataplane/render/marks.ts';
import type { RenderOptions } from '../../src/dataplane/render/options.ts';
import { policyChains, profileChains } from '../../src/dataplane/render/policy.ts';
import type { Chain } from '../../src/dataplane/render/rule.ts';
import { filterChains, filterHooks } from '../../src/dataplane/render/static.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import type { Kernel } from '../../src/simulate/kernel.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import type { DesiredState } from './desired-state.ts';

export class Enforcement {
  readonly #options: RenderOptions;
  readonly #kernel = new FakeKernel();
  readonly #table: Table;
  readonly #chains = new Map<string, Chain>();
  readonly #dispatched = new Map<string, ActiveEndpoint>();

  constructor(world: Pick<World, 'node' | 'options'>) {
    this.#options = renderOptions(world);
    this.#table = new Table('filter', filterHooks(this.#options, 'insert'));
    this.#table.adopt(this.#kernel.rulesText());
    for (const chain of filterChains(this.#options)) this.#table.setChain(chain);
  }

  /** Makes the kernel what the state says. */
  enforce(state: DesiredState): void {
    this.#writeSets(state);
    const chains = this.#chainsOf(state);
    for (const [name, chain] of chains) if (this.#chains.get(name) !== chain) this.#table.setChain(chain);
    this.#dispatch(state);
    for (const name of this.#chains.keys()) if (!chains.has(name)) this.#table.deleteChain(name);
    this.#chains.clear();
    for (const [name, chain] of chains) this.#chains.set(name, chain);
    for (let plan = this.#plan(); plan !== undefined; plan = this.#plan()) {
      this.#kernel.edit(plan.text);
      plan.commit();
    }
    this.#kernel.clearLog();
  }

  /** What was written, as the kernel's tools print it. */
  read(): Kernel {
    return loadKernel({ ipv4: this.#kernel.rulesText(), sets: this.#kernel.setsText() });
  }

  text(): string {
    return `${this.#kernel.rulesText()}\n${this.#kernel.setsText()}`;
  }

  #plan(): Transaction | undefined {
    return this.#table.plan() ?? this.#table.planCleanup();
  }

  #chainsOf(state: DesiredState): Map<string, Chain> {
    const setName = (id: string): string => `cali40${id}`;
    const chains = [
      ...[...state.policies.values()].flatMap((policy) => policyChains(policy, this.#options, setName)),
      ...[...state.profiles.values()].flatMap((profile) => profileChains(profile, this.#options, setName)),
      ...[...state.endpoints.values()].flatMap((endpoint) => endpointChains(endpoint, this.#options)),
    ];
    return new Map(chains.map((chain) => [chain.name, chain]));
  }

  #dispatch(state: DesiredState): void {
    for (const [key, endpoint] of this.#dispatched) {
      if (state.endpoints.has(key)) continue;
      for (const { chain, rule } of dispatchEntries(endpoint.interfaceName, this.#options)) this.#table.deleteRule(chain, rule);
      this.#dispatched.delete(key);
    }
    for (const [key, endpoint] of state.endpoints) {
      if (this.#dispatched.has(key)) continue;
      for (const { chain, rule } of dispatchEntries(endpoint.interfaceName, this.#options)) this.#table.addRule(chain, rule);
      this.#dispatched.set(key, endpoint);
    }
  }

  /** Sets that are no longer wanted stay, empty of meaning: nothing names them. */
  #writeSets(state: DesiredState): void {
    for (const { id, type, members } of state.sets.values()) {
      const name = `cali40${id}`;
      const commands = [...members].filter((member) => !member.includes(':') || /^[0-9.]+,/.test(member)).map((member) => `add ${name} ${member}`);
      const exists = this.#kernel.setsText().includes(`create ${name} `);
      const create = `create ${name} ${type === 'net' ? 'hash:net' : 'hash:ip,port'} family inet maxelem 1048576`;
      this.#kernel.editSets(...(exists ? [`flush ${name}`] : [create]), ...commands);
    }
  }
}

function renderOptions({ options }: Pick<World, 'options'>): RenderOptions {
  return {
    family: 4,
    marks: marksOf(0xffff0000),
    interfacePrefixes: options.interfacePrefixes,
    allowAction: 'ACCEPT',
    denyAction: 'DROP',
    endpointToHostAction: options.defaultEndpointToHostAction,
    vxlanPort: 4789,
    allowVxlanFromWorkloads: false,
    allowIpipFromWorkloads: false,
    disableConntrackInvalidCheck: false,
    logPrefix: 'calico-packet',
    logRateLimit: '',
    logRateLimitBurst: 5,
  };
}
