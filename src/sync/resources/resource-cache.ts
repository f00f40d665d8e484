// What calc has been told about one kind. In: wire objects and identities. Out: the updates that they mean, none where nothing
// that is used has changed (a status heartbeat, a lease). Holds the slim values only, never a wire object.

import type { Delete, Update, ValueKind } from '../../model/update.ts';
import type { DecodeContext } from './decode-context.ts';
import type { InvalidObjects } from './invalid-objects.ts';
import { type Identity, identityOf, identityText } from './object-meta.ts';
import type { Decoded } from './problem.ts';
import { type AnyResource, titleOf } from './resource.ts';

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

/** What is the same for kinds that calc is told of and those that are counted only. */
interface Decoding<T> {
  readonly valueKind?: ValueKind;
  key(identity: Identity): string;
  decode(object: unknown, context: DecodeContext): Decoded<T>;
  same(a: T, b: T): boolean;
}

const counted = { key: identityText, same: () => true };

class Cache<T> implements ResourceCache {
  readonly resource: AnyResource;
  readonly #title: string;
  readonly #decoding: Decoding<T>;
  readonly #context: DecodeContext;
  readonly #invalid: InvalidObjects;
  readonly #values = new Map<string, T>();

  constructor(resource: AnyResource, context: DecodeContext, invalid: InvalidObjects) {
    this.resource = resource;
    this.#title = titleOf(resource);
    this.#decoding = { ...counted, ...resource } as unknown as Decoding<T>;
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
    this.#invalid.forget(this.#title, identityText(identity));
    return this.#delete(this.#decoding.key(identity));
  }

  replace(): Replacement {
    const listed = new Map<string, T>();
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
        listed.delete(this.#decoding.key(identity));
      },
      finish: () => {
        this.#invalid.retain(this.#title, names);
        const gone = [...this.#values.keys()].filter((key) => !listed.has(key)).map((key) => this.#delete(key));
        const changed = [...listed].map(([key, value]) => this.#set(key, value));
        return [...gone, ...changed].filter((update) => update !== undefined);
      },
    };
  }

  #decode(object: unknown): { key: string; name: string; value: T | undefined } | undefined {
    const decoded = this.#decoding.decode(object, this.#context);
    const identity = identityOf(object, this.resource.namespaced);
    const name = identity === undefined ? '(without a name)' : identityText(identity);
    this.#invalid.record(this.#title, name, decoded);
    return identity === undefined ? undefined : { key: this.#decoding.key(identity), name, value: decoded.value };
  }

  #set(key: string, value: T): Update | undefined {
    const known = this.#values.get(key);
    if (known !== undefined && this.#decoding.same(known, value)) return undefined;
    this.#values.set(key, value);
    const kind = this.#decoding.valueKind;
    return kind === undefined ? undefined : ({ op: 'upsert', kind, key, value } as unknown as Update);
  }

  #delete(key: string): Delete | undefined {
    const kind = this.#decoding.valueKind;
    return this.#values.delete(key) && kind !== undefined ? { op: 'delete', kind, key } : undefined;
  }
}
