// What the dataplane can be told, with the defaults of Felix. Durations in milliseconds.

import type { Family } from '../model/packet.ts';
import { disjointPrefixes } from './render/dispatch.ts';
import { marksOf } from './render/marks.ts';
import type { RenderOptions } from './render/options.ts';

export interface DataplaneOptions {
  /** Of workload interfaces. */
  readonly interfacePrefixes: readonly string[];
  /** At least five bits of the packet mark that are ours. */
  readonly markMask: number;
  /** Where our jumps go in the kernel's chains. */
  readonly chainInsertMode: 'insert' | 'append';
  readonly allowAction: 'ACCEPT' | 'RETURN';
  readonly denyAction: 'DROP' | 'REJECT';
  readonly endpointToHostAction: 'ACCEPT' | 'DROP' | 'RETURN';
  readonly vxlanPort: number;
  readonly allowVxlanFromWorkloads: boolean;
  readonly allowIpipFromWorkloads: boolean;
  readonly disableConntrackInvalidCheck: boolean;
  readonly logPrefix: string;
  /** "10/minute"; empty for no limit. */
  readonly logRateLimit: string;
  readonly logRateLimitBurst: number;
  /** maxelem of every set. */
  readonly maxSetSize: number;
  /** How often the tables are read and compared although no doorbell rang; 0 never. */
  readonly ruleRefreshInterval: number;
  /** How often the members of all sets are read and compared, a few sets at a time; 0 never. */
  readonly setRefreshInterval: number;
  /** How often the headers of all sets are compared: sets have no doorbell; 0 never. */
  readonly setCheckInterval: number;
  /** Reads that doorbells ask for are at least this far apart. 1,000 suits the legacy backend, whose doorbell rings for every writer. */
  readonly doorbellInterval: number;
}

export const defaultOptions: DataplaneOptions = Object.freeze({
  interfacePrefixes: Object.freeze(['cali']),
  markMask: 0xffff0000,
  chainInsertMode: 'insert',
  allowAction: 'ACCEPT',
  denyAction: 'DROP',
  endpointToHostAction: 'DROP',
  vxlanPort: 4789,
  allowVxlanFromWorkloads: false,
  allowIpipFromWorkloads: false,
  disableConntrackInvalidCheck: false,
  logPrefix: 'calico-packet',
  logRateLimit: '',
  logRateLimitBurst: 5,
  maxSetSize: 1_048_576,
  ruleRefreshInterval: 180_000,
  setRefreshInterval: 90_000,
  setCheckInterval: 4_000,
  doorbellInterval: 0,
});

export function renderOptions(options: DataplaneOptions, family: Family): RenderOptions {
  return { ...options, family, marks: marksOf(options.markMask), interfacePrefixes: disjointPrefixes(options.interfacePrefixes) };
}
