/**
 * Functions and classes that are the same for all runs of a worker, because nothing they hold can change: so that what
 * `init` made of a class is an instance of that class in every later run as well.
 */
import type { FunctionNode, Node, Slot } from './graph';

type Made = (...args: unknown[]) => unknown;

interface Kept {
  readonly value: Made;
  readonly signature: string;
  /** Own properties of the function and its prototype when it was new. */
  readonly shape: readonly unknown[];
}

const LIMIT = 2000;

/** What can be taken from earlier graphs, and what of this one can serve later ones. */
export interface Plan {
  /** By the node's index. */
  readonly reused: ReadonlyMap<number, Made>;
  readonly signatures: ReadonlyMap<number, string>;
}

export class SharedFunctions {
  readonly #kept = new Map<string, Kept>();

  plan(nodes: readonly Node[]): Plan {
    const patched = new Set<number>();
    const functions: number[] = [];
    for (const [at, node] of nodes.entries()) {
      if (node.t === 'function') functions.push(at);
      // Only prototypes that are not as their function makes them have these.
      else if (node.t === 'prototype' && (node.own || node.lacks || 'p' in node || node.fixed)) {
        patched.add((node.f as [number])[0]);
      }
    }
    const fixed = new Set(functions.filter((at) => !patched.has(at) && isSimple(nodes[at] as FunctionNode)));
    shrink(fixed, (at) => references(nodes, nodes[at]!).every((to) => isFixed(nodes, to, fixed)));
    const signatures = new Map<number, string>();
    const reused = new Map<number, Made>();
    const same = new Set<number>();
    for (const at of fixed) {
      const node = nodes[at] as FunctionNode;
      const signature = signatureOf(nodes, node);
      signatures.set(at, signature);
      const kept = this.#kept.get(node.id);
      if (kept?.signature === signature && isUnchanged(kept)) same.add(at);
    }
    shrink(same, (at) =>
      references(nodes, nodes[at]!).every((to) => functionsIn(nodes, to).every((one) => same.has(one))),
    );
    for (const at of same) reused.set(at, this.#kept.get((nodes[at] as FunctionNode).id)!.value);
    return { reused, signatures };
  }

  keep(id: string, value: Made, signature: string): void {
    if (this.#kept.size >= LIMIT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(id, { value, signature, shape: shapeOf(value) });
  }
}

/** Takes out what doesn't hold, until all that is left holds. */
function shrink(set: Set<number>, holds: (at: number) => boolean): void {
  for (let before = -1; before !== set.size; ) {
    before = set.size;
    for (const at of set) if (!holds(at)) set.delete(at);
  }
}

function isSimple(node: FunctionNode): boolean {
  return (
    !node.own &&
    !node.lacks &&
    !node.privates &&
    node.args === undefined &&
    node.home === undefined &&
    !('p' in node)
  );
}

function references(nodes: readonly Node[], node: Node): number[] {
  const slots: Slot[] = [];
  if (node.t === 'function') slots.push(...node.v, node.parent, ...(node.keys ?? []));
  else if (node.t === 'names') slots.push(...node.v);
  else if (node.t === 'prototype') slots.push(node.f);
  else if (node.t === 'star') slots.push(node.of);
  return slots
    .flatMap((slot) => (typeof slot === 'object' && slot !== null ? [slot[0]] : []))
    .filter((at) => at in nodes);
}

function isFixed(nodes: readonly Node[], at: number, fixed: ReadonlySet<number>): boolean {
  const node = nodes[at]!;
  switch (node.t) {
    case 'function':
      return fixed.has(at);
    case 'names':
    case 'prototype':
      return references(nodes, node).every((to) => to !== at && isFixed(nodes, to, fixed));
    case 'standard':
    case 'import':
    case 'star':
    case 'require':
    case 'symbol':
      return true;
    default:
      return false;
  }
}

function functionsIn(nodes: readonly Node[], at: number): number[] {
  const node = nodes[at]!;
  if (node.t === 'function') return [at];
  if (node.t === 'names' || node.t === 'prototype') {
    return references(nodes, node).flatMap((to) => functionsIn(nodes, to));
  }
  return [];
}

/** All that the function is made of; other functions stand there with their identity. */
function signatureOf(nodes: readonly Node[], node: FunctionNode): string {
  const show = (slot: Slot): unknown => {
    if (typeof slot !== 'object' || slot === null) {
      return typeof slot === 'bigint' ||
        Object.is(slot, -0) ||
        Number.isNaN(slot) ||
        Math.abs(slot as number) === Infinity
        ? [typeof slot, Object.is(slot, -0) ? '-0' : String(slot)]
        : slot === undefined
          ? ['undefined']
          : slot;
    }
    const to = nodes[slot[0]]!;
    switch (to.t) {
      case 'function':
        return { f: to.id };
      case 'names':
        return { k: to.k, v: to.v.map(show) };
      case 'prototype':
        return { p: show(to.f) };
      case 'star':
        return { star: show(to.of) };
      case 'symbol':
        return { s: [to.id, to.key, to.wellKnown] };
      default:
        return to;
    }
  };
  return JSON.stringify([
    node.code,
    node.name,
    node.fixed,
    node.v.map(show),
    show(node.parent),
    node.keys?.map(show),
  ]);
}

function shapeOf(value: Made): unknown[] {
  const shape: unknown[] = [];
  for (const holder of [value, Object.getOwnPropertyDescriptor(value, 'prototype')?.value as unknown]) {
    if (typeof holder !== 'object' && typeof holder !== 'function') continue;
    if (holder === null) continue;
    shape.push(Object.getPrototypeOf(holder));
    for (const key of Reflect.ownKeys(holder)) {
      if (key === 'arguments' || key === 'caller') continue;
      const { value, get, set } = Object.getOwnPropertyDescriptor(holder, key)!;
      shape.push(key, value, get, set);
    }
  }
  return shape;
}

function isUnchanged({ value, shape }: Kept): boolean {
  const now = shapeOf(value);
  return now.length === shape.length && now.every((one, at) => Object.is(one, shape[at]));
}
