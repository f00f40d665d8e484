// Manifests: the text of a file → the objects in it, as the API server would hold them after `kubectl apply`. In: text of any
// number of YAML documents, or JSON. Out: objects of the kinds that are read, with defaults filled in; the other kinds by name;
// or what is wrong, with lines. A file is taken whole or not at all: one document that is wrong makes it a bad file.

import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml';

import type { DecodeContext } from '../resources/decode-context.ts';
import { kinds } from '../resources/kinds.ts';
import { type Identity, identityText, readMeta } from '../resources/object-meta.ts';
import { ProblemList } from '../resources/problem.ts';
import { type AnyResource, serves, titleOf } from '../resources/resource.ts';
import { type Fields, fieldsOf, isAbsent, shown } from '../resources/wire.ts';
import { withDefaults } from './defaults.ts';
import { validateMetadata } from './validate.ts';

export interface ManifestObject {
  readonly resource: AnyResource;
  readonly identity: Identity;
  readonly object: Fields;
  /** First line of the object, from 1; in JSON always 1. */
  readonly line: number;
}

export interface Manifest {
  readonly objects: readonly ManifestObject[];
  /** "apps/v1 Deployment": kinds that are not read. */
  readonly ignored: readonly string[];
}

export interface ManifestError {
  readonly line: number;
  readonly reason: string;
}

export type ManifestResult = { readonly manifest: Manifest } | { readonly errors: readonly ManifestError[] };

/** Where an object lies in its document, and the lines of the document. */
interface Place extends Lines {
  readonly path: Path;
}

interface Lines {
  readonly lineOf: (path: Path) => number;
  /** Cheap: asked for each object. */
  readonly objectLineOf: (path: Path) => number;
}

type Path = readonly (string | number)[];

export function readManifest(text: string, context: DecodeContext): ManifestResult {
  if (text.trim() === '') return { errors: [{ line: 1, reason: 'is empty; to remove its objects, delete the file' }] };
  const reader = new ManifestReader(context);
  try {
    for (const { value, ...lines } of documentsOf(text, reader.errors)) {
      if (!isAbsent(value)) reader.read(value, { path: [], ...lines });
    }
  } catch (error) {
    // The JSON parser takes any depth; what walks through its result does not (the stack is full).
    if (!(error instanceof RangeError)) throw error;
    return { errors: [{ line: 1, reason: 'is nested too deeply' }] };
  }
  if (reader.errors.length > 0) return { errors: reader.errors };
  return { manifest: { objects: reader.objects, ignored: [...reader.ignored] } };
}

class ManifestReader {
  readonly objects: ManifestObject[] = [];
  readonly ignored = new Set<string>();
  readonly errors: ManifestError[] = [];
  readonly #context: DecodeContext;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  read(value: unknown, place: Place): void {
    const fields = fieldsOf(value);
    const kind = fields?.['kind'];
    const apiVersion = fields?.['apiVersion'];
    if (fields === undefined || typeof kind !== 'string' || typeof apiVersion !== 'string') {
      this.#refuse(place, [], 'is no Kubernetes object: it needs apiVersion and kind');
      return;
    }
    const items = fields['items'];
    if (kind.endsWith('List') && Array.isArray(items)) {
      // Items of a PodList, as the API serves it, do not repeat their kind.
      const inherited = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
      for (const [i, item] of items.entries()) {
        this.read(fieldsOf(item) === undefined ? item : { ...inherited, ...item }, { ...place, path: [...place.path, 'items', i] });
      }
      return;
    }
    const resource = kinds.find((each) => each.kind === kind && serves(each, apiVersion));
    if (resource === undefined) this.ignored.add(`${apiVersion} ${kind}`);
    else this.#take(resource, fields, place);
  }

  #take(resource: AnyResource, fields: Fields, place: Place): void {
    const object = withDefaults(resource, fields);
    const { problems, report } = new ProblemList();
    validateMetadata(resource, object, report);
    const meta = readMeta(object, resource.namespaced, report);
    // What the decoder finds is what the API server would have found, but for what is a matter of this agent alone.
    if (problems.length === 0) problems.push(...resource.decode(object, this.#context).problems.filter(({ isOurs }) => isOurs !== true));
    for (const { field, problem, remedy } of problems) {
      const name = meta === undefined ? '' : ` ${identityText(meta)}`;
      this.#refuse(place, pathOf(field), `${titleOf(resource)}${name}: ${field} ${problem} (${remedy})`);
    }
    if (meta === undefined || problems.length > 0) return;
    const identity = { namespace: meta.namespace, name: meta.name };
    this.objects.push({ resource, identity, object, line: place.objectLineOf(place.path) });
  }

  #refuse(place: Place, path: Path, reason: string): void {
    this.errors.push({ line: place.lineOf([...place.path, ...path]), reason });
  }
}

/** "spec.ingress[0].from" → spec, ingress, 0, from. Brackets around a label key may hold dots. */
function pathOf(field: string): Path {
  return [...field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([text, bracketed]) => {
    const key = bracketed ?? text;
    return bracketed !== undefined && /^\d+$/.test(key) ? Number(key) : key;
  });
}

interface ParsedDocument extends Lines {
  readonly value: unknown;
}

function* documentsOf(text: string, errors: ManifestError[]): Generator<ParsedDocument> {
  const json = parseJson(text);
  if (json !== undefined) {
    // The fast parser knows no lines; they are only looked up when something is wrong.
    let lines: ParsedDocument | undefined;
    const lineOf = (path: Path): number => {
      lines ??= parseYaml(text, [])[0];
      return lines?.lineOf(path) ?? 1;
    };
    yield { value: json, lineOf, objectLineOf: () => 1 };
    return;
  }
  yield* parseYaml(text, errors);
}

function parseJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // It may be YAML in flow style; its parser says what is wrong, and where.
    return undefined;
  }
}

function parseYaml(text: string, errors: ManifestError[]): ParsedDocument[] {
  const lineCounter = new LineCounter();
  const parsed: ParsedDocument[] = [];
  for (const document of parseAllDocuments(text, { lineCounter, merge: true, prettyErrors: false })) {
    for (const error of document.errors) errors.push({ line: lineCounter.linePos(error.pos[0]).line, reason: error.message });
    if (document.errors.length > 0) continue;
    try {
      const linesOf = (path: Path): number => lineOf(document, path, lineCounter);
      parsed.push({ value: document.toJS(), lineOf: linesOf, objectLineOf: linesOf });
    } catch (error) {
      // Aliases that refer to nothing, or that multiply without end.
      errors.push({ line: lineOf(document, [], lineCounter), reason: error instanceof Error ? error.message : shown(error) });
    }
  }
  return parsed;
}

/** Line of the innermost part of the path that exists: of a field where its name stands, of an item where it begins. */
function lineOf(document: Document, path: Path, lineCounter: LineCounter): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, length - 1), true);
    const key = isMap(parent) ? parent.items.map((pair) => pair.key).find((node) => isScalar(node) && String(node.value) === String(path[length - 1])) : undefined;
    const node = key ?? (length === 0 ? document.contents : document.getIn(path.slice(0, length), true));
    if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
  }
  return 1;
}
