// The kinds that are read, by every source. All of them gate: nothing is in sync before each was read completely.

import { namespaces } from './namespace.ts';
import { networkPolicies } from './network-policy.ts';
import { pods } from './pod.ts';
import type { AnyResource } from './resource.ts';
import { serviceAccounts } from './service-account.ts';

export const kinds: readonly AnyResource[] = Object.freeze([namespaces, serviceAccounts, networkPolicies, pods]);
