// Wire objects and a decode context for tests of the sync edge.

import { DecodeContext } from '../../../src/sync/resources/decode-context.ts';

export const context = (): DecodeContext => new DecodeContext({ node: 'node-1', interfacePrefix: 'cali' });

/** A NetworkPolicy shop/web with this spec. */
export const policyWith = (spec: unknown): unknown => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'web', generation: 7 },
  spec,
});

export interface PodParts {
  readonly metadata?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
  readonly status?: unknown;
}

/** A running pod shop/web with address 10.1.0.1 on node-1, but for what is given. */
export const podWith = ({ metadata = {}, spec = {}, status = { phase: 'Running', podIPs: [{ ip: '10.1.0.1' }] } }: PodParts = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web', ...metadata },
  spec: { nodeName: 'node-1', ...spec },
  status,
});

/** An object of Calico's, shop/web or web, with this spec. */
export const calicoObject = (kind: string, spec: unknown, metadata: Record<string, unknown> = {}): unknown => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind,
  metadata: { ...(/^(?:Staged)?(?:Kubernetes)?Network/.test(kind) ? { namespace: 'shop' } : {}), name: 'web', generation: 7, ...metadata },
  spec,
});
