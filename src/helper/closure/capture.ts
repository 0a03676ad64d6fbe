import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { CaptureError, orRefuse } from './error';
import type { Content } from './graph';
import { nameOf } from './natives';
import { codePart, type Part, part } from './parts';
import { type Store, type Target, written } from './writer';

/** A function with everything it uses, as it was at the moment of `capture`. */
export interface Capture {
  /** Names the function itself among the parts. */
  readonly id: string;
  /** All of them: a worker which has a part already needn't be sent it again. */
  readonly parts: readonly Part[];
}

/** Any function, whatever it takes. */
export type AnyFunction = (...args: never[]) => unknown;

/** Below this, memory goes along with the graph. */
const OWN_PART_BYTES = 1024;
const OWN_PART_CHARACTERS = 16_384;

/** The last snapshot of a buffer: where its bytes are still the same, so is its part. */
const snapshots = new WeakMap<ArrayBuffer, Part & { message: { bytes: ArrayBuffer } }>();
const memories = new WeakMap<SharedArrayBuffer, Part>();
/** The last capture of a function. */
const last = new WeakMap<object, { bytes: Buffer; texts: Map<string, Part>; capture: Capture }>();

/** While a capture is in use its functions stay, so that what comes back can be the original again. */
const originals = new WeakMap<Capture, readonly unknown[]>();

/**
 * Takes a function with everything it uses. Values are taken as they are now; what is the same as at the last
 * capture of this function keeps its parts.
 * @param options.target where it will run: only threads share a SharedArrayBuffer
 * @param options.name what messages call it; default: its own name, or `fn`
 * @throws CaptureError when something it uses can't travel
 */
export function capture(fn: AnyFunction, options: { target: Target; name?: string }): Capture {
  if (typeof fn !== 'function') {
    throw new CaptureError(
      `Expected a function to run on a ${options.target}, got ${fn === null ? 'null' : typeof fn}`,
    );
  }
  const parts = new Map<string, Part>();
  const previous = last.get(fn);
  const texts = new Map<string, Part>();
  const put = <P extends Part>(one: P): P => {
    parts.set(one.id, one);
    return one;
  };
  const store: Store = {
    bytes(buffer) {
      if (buffer.byteLength < OWN_PART_BYTES) return { bytes: copyOf(buffer) };
      let snapshot = snapshots.get(buffer);
      if (!snapshot || !isSame(snapshot.message.bytes, buffer)) {
        snapshot = part({ kind: 'bytes', bytes: copyOf(buffer) }) as never as NonNullable<typeof snapshot>;
        snapshots.set(buffer, snapshot);
      }
      return { part: put(snapshot).id };
    },
    shared(memory) {
      let one = memories.get(memory);
      if (!one) {
        one = part({ kind: 'shared', memory });
        memories.set(memory, one);
      }
      return { part: put(one).id };
    },
    text(text) {
      if (text.length < OWN_PART_CHARACTERS) return undefined;
      const one = texts.get(text) ?? previous?.texts.get(text) ?? part({ kind: 'text', text });
      texts.set(text, one);
      return put(one).id;
    },
    code: (key, make) => put(codePart(key, make)).id,
  };
  const { writer, root } = orRefuse(
    () =>
      written(fn, {
        hasParts: true,
        name: options.name ?? (types.isProxy(fn) ? undefined : nameOf(fn)) ?? 'fn',
        target: options.target,
        base: process.cwd(),
        store,
      }),
    capture,
  );
  const bytes = serialize([writer.nodes, root]);
  if (previous && bytes.equals(previous.bytes)) return previous.capture;
  // Its own copy: the notebook's memory may change before the last worker is told.
  const [nodes] = deserialize(bytes) as [typeof writer.nodes];
  const graph = put(part({ kind: 'graph', nodes, root }));
  const result: Capture = { id: graph.id, parts: [...parts.values()] };
  last.set(fn, { bytes, texts, capture: result });
  originals.set(
    result,
    writer.values.filter((value) => typeof value === 'function' || typeof value === 'symbol'),
  );
  return result;
}

/**
 * What a capture is made of, without who its functions are: equal for two that were made of the same code and the same values.
 * Memory that threads share is itself.
 */
export function contentOf({ parts }: Capture): Buffer {
  const places = new Map(parts.map(({ id }, at) => [id, `part ${at}`]));
  const contents = parts.map(({ id, message }) => {
    const content = message as Content;
    if (content.kind === 'shared') return id;
    if (content.kind !== 'graph') return content;
    const nodes = content.nodes.map((node) => {
      if (node.t === 'function') return { ...node, id: '', code: places.get(node.code) ?? node.code };
      if (node.t === 'symbol') return { ...node, id: '' };
      return 'part' in node && node.part !== undefined ? { ...node, part: places.get(node.part) } : node;
    });
    return { nodes, root: content.root };
  });
  return serialize(contents);
}

/** What a capture imports where it runs, as a notebook would: packages, files, Node's own modules. */
export function importsOf({ parts }: Capture): string[] {
  const specifiers = new Set<string>();
  for (const { message } of parts) {
    const content = message as Content;
    if (content.kind !== 'graph') continue;
    for (const node of content.nodes) if (node.t === 'import') specifiers.add(node.from);
  }
  return [...specifiers];
}

function copyOf(buffer: ArrayBuffer): ArrayBuffer {
  return new Uint8Array(buffer).slice().buffer;
}

function isSame(before: ArrayBuffer, now: ArrayBuffer): boolean {
  return before.byteLength === now.byteLength && Buffer.from(before).equals(Buffer.from(now));
}
