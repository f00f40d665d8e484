// What calc has been told about one kind. In: wire objects and identities. Out: the updates that they mean, none where nothing
// that is used has changed (a status heartbeat, a lease). Holds the slim values only, never a wire object.

import type { Delete, Update, ValueKind, Values } from '../../model/update.ts';
import type { DecodeContext } from './decode-context.ts';
import type { InvalidObjects } from './invalid-objects.ts';
import { type Identity, identityOf, identityText } from './object-meta.ts';
import { type AnyResource, type Resource, titleOf } from './resource.ts';

export interface ResourceCache {
  readonly resource: AnyResource;
  /** Number of values known. */
  readonly size: number;
  upsert(object: unknown): Update | undefined;
  remove(identity: Identity): Update | undefined;
  /** Begins a complete list; until it is finished nothing changes, and it may be dropped at any time. */
  replace(): Replacement;
}

/** A complete list in the making. */
export interface Replacement {
  add(object: unknown): void;
  /** Takes an object out again that was changed or deleted while the list was still coming. */
  remove(identity: Identity): void;
  /** The difference to what was known before: one batch. */
  finish(): Update[];
}

export function resourceCache(resource: AnyResource, context: DecodeContext, invalid: InvalidObjects): ResourceCache {
  // One class serves all kinds; which one it is does not matter to those who call it.
  return new Cache(resource, context, invalid);
}

class Cache<K extends ValueKind> implements ResourceCache {
  readonly resource: AnyResource;
  readonly #resource: Resource<K>;
  readonly #context: DecodeContext;
  readonly #invalid: InvalidObjects;
  readonly #values = new Map<string, Values[K]>();

  constructor(resource: Resource<K>, context: DecodeContext, invalid: InvalidObjects) {
    this.resource = resource as unknown as AnyResource;
    this.#resource = resource;
    this.#context = context;
    this.#invalid = invalid;
  }

  get size(): number {
    return this.#values.size;
  }

  upsert(object: unknown): Update | undefined {
    const decoded = this.#decode(object);
    if (decoded === undefined) return undefined;
    return decoded.value === undefined ? this.#delete(decoded.key) : this.#set(decoded.key, decoded.value);
  }

  remove(identity: Identity): Update | undefined {
    this.#invalid.forget(titleOf(this.#resource), identityText(identity));
    return this.#delete(this.#resource.key(identity));
  }

  replace(): Replacement {
    const listed = new Map<string, Values[K]>();
    const names = new Set<string>();
    return {
      add: (object) => {
        const decoded = this.#decode(object);
        if (decoded === undefined) return;
        names.add(decoded.name);
        if (decoded.value === undefined) listed.delete(decoded.key);
        else listed.set(decoded.key, decoded.value);
      },
      remove: (identity) => {
        names.delete(identityText(identity));
        listed.delete(this.#resource.key(identity));
      },
      finish: () => {
        this.#invalid.retain(titleOf(this.#resource), names);
        const gone = [...this.#values.keys()].filter((key) => !listed.has(key)).map((key) => this.#delete(key));
        const changed = [...listed].map(([key, value]) => this.#set(key, value));
        return [...gone, ...changed].filter((update) => update !== undefined);
      },
    };
  }

  #decode(object: unknown): { key: string; name: string; value: Values[K] | undefined } | undefined {
    const { namespaced } = this.#resource;
    const { value, problems, consequence = '' } = this.#resource.decode(object, this.#context);
    const identity = identityOf(object, namespaced);
    const name = identity === undefined ? '(without a name)' : identityText(identity);
    this.#invalid.record(titleOf(this.#resource), name, problems, consequence);
    return identity === undefined ? undefined : { key: this.#resource.key(identity), name, value };
  }

  #set(key: string, value: Values[K]): Update | undefined {
    const known = this.#values.get(key);
    if (known !== undefined && this.#resource.same(known, value)) return undefined;
    this.#values.set(key, value);
    return { op: 'upsert', kind: this.#resource.valueKind, key, value } as Update;
  }

  #delete(key: string): Delete | undefined {
    return this.#values.delete(key) ? { op: 'delete', kind: this.#resource.valueKind, key } : undefined;
  }
}
