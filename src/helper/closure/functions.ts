/** What is known of a function: its text, its surroundings, the variables it captures. */
import { types } from 'node:util';
import { isSloppy } from './natives';
import {
  isConstant,
  isNeverUndefined,
  knownScript,
  type Location,
  madeAt,
  type Place,
  type Script,
} from './script';
import { readSource, type Source, UnreadableError, type Use } from './source';
import { isStandardGlobal } from './standard';
import type { Trail } from './trail';
import { fetchScript, type Insight } from './variables';

const toText = Function.prototype.toString;

/** A variable in a function's surroundings. */
export interface Found {
  readonly value: unknown;
  /** V8's word for the scope it is in. */
  readonly kind: string;
  /** It stands above the line that declares it. */
  readonly isUnset?: boolean;
}

export interface Variable {
  readonly name: string;
  readonly use: Use;
  /** What it is for good, if it never changes. */
  readonly constant: Found | undefined;
  /** Found in no scope: a property of the global object, or nothing at all. */
  readonly isGlobal: boolean;
}

/** What stays the same about a function while it lives. */
export class Known {
  constructor(
    readonly source: Source,
    readonly isStrict: boolean,
    readonly variables: readonly Variable[],
    readonly location: Location,
    readonly script: Script | undefined,
    readonly place: Place | undefined,
  ) {}

  /** Whether V8 must be asked again at each capture. */
  get isOpen(): boolean {
    return (
      this.source.privateStatics.length > 0 ||
      this.source.keys.some((key) => key !== undefined) ||
      this.variables.some((one) => !one.isGlobal && !one.constant)
    );
  }

  /** Whether a variable that seems to be `undefined` has no value yet: up to Node 20 V8 doesn't tell the two apart. */
  isUnset(name: string): boolean {
    if (TELLS_UNSET) return false;
    const place = this.place ?? this.#fetchPlace();
    return place !== undefined && isNeverUndefined(place, name);
  }

  /** Whether the object literal that this method stands in says what its prototype is. */
  literalHasProto(): boolean | undefined {
    const script = this.script ?? fetchScript(this.location);
    return script?.literalHasProto(this.location, this.source.text);
  }

  #fetchPlace(): Place | undefined {
    return fetchScript(this.location)?.place(this.location, this.source.text);
  }
}

const TELLS_UNSET = Number(process.versions.node.split('.')[0]) >= 22;

const known = new WeakMap<object, Known>();

/** What was found out about a function before. */
export function recall(value: object): Known | undefined {
  return known.get(value);
}

/** Finds out about a function; refuses those that can't travel at all. */
export function readFunction(trail: Trail, at: number, insight: Insight): Known {
  const value = trail.values[at] as object;
  const text = toText.call(value);
  const { location } = insight;
  if (!location) {
    // What `bind` makes has no name in its text.
    if (/^function \(\) \{ \[native code\] \}$/.test(text)) {
      trail.refuse(at, 'a bound function', 'Write an arrow function that calls it: `(item) => fn(item)`');
    }
    trail.refuse(at, 'a native function', 'Call it inside a function of your own');
  }
  trail.locate(at, location);
  let script = knownScript(location.scriptId);
  let place = script?.place(location, text);
  let source: Source;
  try {
    const node = place && place.node.end - place.node.start === text.length ? place.node : undefined;
    source = readSource(text, !Object.hasOwn(value, 'prototype'), node);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    const what = `a function whose code can't be read (${error.message})`;
    trail.refuse(at, what, 'Write it as a function of its own');
  }
  if (source.refusal) {
    trail.refuseIn(at, source.refusal.at, `uses ${source.refusal.what}`, source.refusal.instead);
  }
  // This takes long, so it is done only where the answer matters.
  const fetchPlace = () => {
    script ??= fetchScript(location);
    place ??= script?.place(location, text);
    return place;
  };
  const variables: Variable[] = [];
  for (const [name, use] of source.free) {
    const found = find(insight, name);
    if (name === source.ownName && !isOutside(value, use, found, place, fetchPlace)) continue;
    const keeps =
      found?.value !== undefined &&
      script !== undefined &&
      place !== undefined &&
      isConstant(script, place, name);
    variables.push({ name, use, isGlobal: found === undefined, constant: keeps ? found : undefined });
  }
  // V8 tells it of plain functions. Of the others their surroundings do.
  const isPlain = Object.hasOwn(value, 'prototype') && !types.isGeneratorFunction(value);
  const isStrict =
    source.strict ?? (isPlain ? !isSloppy(value) : source.minds && fetchPlace()?.isStrict === true);
  const result = new Known(source, isStrict, variables, location, script, place);
  known.set(value, result);
  return result;
}

/** Whether a function's own name, used in it, may mean a variable outside. A class's is always its own. */
function isOutside(
  value: object,
  use: Use,
  found: Found | undefined,
  place: Place | undefined,
  fetchPlace: () => Place | undefined,
): boolean {
  // The name of an expression is its own; that of a declaration is a variable, which may get another value.
  if (place) return place.isDeclaration && (found !== undefined || use.assignedAt !== undefined);
  if (use.assignedAt === undefined && (!found || found.value === value)) return found !== undefined;
  return fetchPlace()?.isDeclaration !== false;
}

/** A variable as the function sees it. */
export function find(insight: Insight, name: string): Found | undefined {
  for (const { kind, variables } of insight.scopes) {
    try {
      if (kind.startsWith('With') ? name in variables : Object.hasOwn(variables, name)) {
        return { value: variables[name], kind };
      }
    } catch {
      // From Node 22 on this is how V8 shows a variable that has no value yet.
      return { value: undefined, kind, isUnset: true };
    }
  }
  return undefined;
}

/** A variable's value now; undefined: it has none that would have to be taken along. */
export function takeAlong(one: Variable, insight: Insight | undefined): Found | undefined {
  if (one.constant) return one.constant;
  if (!one.isGlobal) return find(insight!, one.name);
  if (isStandardGlobal(one.name) || !(one.name in globalThis)) return undefined;
  return { value: (globalThis as Record<string, unknown>)[one.name], kind: 'Global' };
}

/** Spares asking V8 about a function that was made in a scope which is known already. */
export function derive(of: Known, insight: Insight, name: string, value: unknown): Insight | undefined {
  const { script, place, location } = of;
  if (!script || !place || typeof value !== 'function' || known.has(value)) return undefined;
  const text = toText.call(value);
  // Private names have values that only V8 knows.
  if (text.includes('#')) return undefined;
  const start = madeAt(script, place, name, text);
  if (start === undefined) return undefined;
  const at = insight.scopes.findIndex(({ variables }) => Object.hasOwn(variables, name));
  return {
    scopes: insight.scopes.slice(at),
    privates: new Map(),
    location: script.location(location.scriptId, start),
  };
}
