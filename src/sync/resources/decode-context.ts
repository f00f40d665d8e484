// What decoders need to know besides the object: which node this is, what else runs on it, and the shared values of earlier objects.

import type { Labels } from '../../model/labels.ts';
import type { EndpointPort } from '../../model/net/port.ts';
import { Interner } from './interner.ts';

export interface NodeIdentity {
  /** Name of this node, as in spec.nodeName. */
  readonly node: string;
  /** What names of workload interfaces begin with, e.g. "cali". */
  readonly interfacePrefix: string;
  /**
   * Something else enforces http matches, behind us: rules that have one allow the connection. Otherwise (also when absent) they
   * allow nothing.
   */
  readonly httpIsEnforcedElsewhere?: boolean;
}

export class DecodeContext {
  readonly node: string;
  readonly interfacePrefix: string;
  readonly httpIsEnforcedElsewhere: boolean;
  readonly #texts = new Interner<string>();
  readonly #lists = new Interner<readonly string[]>();
  readonly #ports = new Interner<readonly EndpointPort[]>();

  constructor(identity: NodeIdentity) {
    this.node = identity.node;
    this.interfacePrefix = identity.interfacePrefix;
    this.httpIsEnforcedElsewhere = identity.httpIsEnforcedElsewhere ?? false;
  }

  text(text: string): string {
    return this.#texts.get(text, (made) => made);
  }

  /** Labels, or names of profiles. */
  list(list: readonly string[]): Labels {
    // No label and no name contains a NUL.
    return this.#lists.get(list.join('\0'), () => list.map((text) => this.text(text)));
  }

  ports(ports: readonly EndpointPort[]): readonly EndpointPort[] {
    return this.#ports.get(ports.map((port) => `${port.name}/${port.protocol}/${port.port}`).join(), () => ports);
  }
}
