// What the renderer needs to know besides the objects.

import type { SetId } from '../../model/desired.ts';
import type { Family } from '../../model/packet.ts';
import type { Marks } from './marks.ts';
import { builtin } from './rule.ts';
import type { Target } from './rule.ts';

export interface RenderOptions {
  readonly family: Family;
  readonly marks: Marks;
  /** Prefixes of workload interfaces, none of which is a prefix of another. */
  readonly interfacePrefixes: readonly string[];
  readonly allowAction: 'ACCEPT' | 'RETURN';
  readonly denyAction: 'DROP' | 'REJECT';
  /** For what a workload sends to its own host, after its egress policy. */
  readonly endpointToHostAction: 'ACCEPT' | 'DROP' | 'RETURN';
  /** UDP port of the tunnel packets that workloads must not send. */
  readonly vxlanPort: number;
  readonly allowVxlanFromWorkloads: boolean;
  readonly allowIpipFromWorkloads: boolean;
  readonly disableConntrackInvalidCheck: boolean;
  /** Of Log rules; %t tier, %k kind, %n name, %p namespace/name. */
  readonly logPrefix: string;
  /** "10/minute"; empty for no limit. */
  readonly logRateLimit: string;
  readonly logRateLimitBurst: number;
}

/** The kernel's name of a set. */
export type SetNames = (id: SetId) => string;

export function denyTarget(options: RenderOptions): Target {
  return builtin(options.denyAction);
}

export function denyWord(options: RenderOptions): string {
  return options.denyAction === 'DROP' ? 'Drop' : 'Reject';
}
