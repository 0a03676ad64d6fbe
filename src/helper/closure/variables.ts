/**
 * Looks into functions with V8's inspector, inside this process: no port is opened, and nothing is paused.
 */
import type { Session } from 'node:inspector';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CaptureError } from './error';
import { hasScript, keepScript, knownScript, type Location, type Script } from './script';

/** What V8 knows about one function. */
export interface Insight {
  /** Its surroundings, innermost first, without the global object. Values are those of this moment. */
  readonly scopes: readonly {
    readonly kind: string;
    readonly variables: Readonly<Record<string, unknown>>;
  }[];
  /** The values of a class's static private fields, by name. */
  readonly privates: ReadonlyMap<string, unknown>;
  /** Where its code begins; undefined for a native or bound function. */
  readonly location: Location | undefined;
}

type RemoteValue = { objectId?: string; value?: unknown; unserializableValue?: string };
type Property = { name: string; value?: RemoteValue };

let session: Session | undefined;

function open(): Session {
  if (session) return session;
  try {
    // Not at the top: a Node built without the inspector can still use everything else.
    const inspector = require('node:inspector') as typeof import('node:inspector');
    const opened = new inspector.Session();
    opened.connect();
    session = opened;
    return opened;
  } catch (error) {
    throw new CaptureError(
      `Can't see which variables a function uses: this Node gives no access to its inspector ` +
        `(${error instanceof Error ? error.message : String(error)}). ` +
        'Use the backends "serial" or "async", or run Node without --permission and with its inspector built in.',
      { cause: error },
    );
  }
}

/** In-process calls are answered before `post` returns. */
function post<T>(method: string, parameters: object): T {
  let answer: T | undefined;
  let failure: Error | null = null;
  open().post(method, parameters, (error: Error | null, result?: unknown) => {
    failure = error;
    answer = result as T;
  });
  if (failure !== null || answer === undefined) {
    const why = failure === null ? 'it does not answer' : (failure as Error).message;
    throw new CaptureError(
      `Can't see which variables a function uses: the inspector refused ${method} (${why}). ` +
        'If a debugger is attached to this process, resume or detach it.',
      { cause: failure },
    );
  }
  return answer;
}

const GROUP = 'tslab-parallel';
/** A door for values between here and the inspector, open only during a call. */
const DOOR = `tslab-parallel ${Math.random()}`;

/** Looks into several functions at once, as each message to the inspector has its price. */
export function lookInto(functions: readonly object[]): Insight[] {
  if (functions.length === 0) return [];
  const door: { functions: readonly object[]; answer: unknown[] } = { functions, answer: [] };
  Object.defineProperty(globalThis, DOOR, { value: door, configurable: true, enumerable: false });
  try {
    const array = post<{ result: RemoteValue }>('Runtime.evaluate', {
      expression: `globalThis[${JSON.stringify(DOOR)}].functions`,
      objectGroup: GROUP,
    }).result.objectId!;
    const elements = post<{ result: Property[] }>('Runtime.getProperties', {
      objectId: array,
      ownProperties: true,
    }).result;
    const wanted: { objectId: string }[] = [];
    const parts = functions.map((_, at) => {
      const properties = post<{ internalProperties?: Property[]; privateProperties?: Property[] }>(
        'Runtime.getProperties',
        { objectId: elements[at]!.value!.objectId, ownProperties: true },
      );
      const internal = (name: string) =>
        properties.internalProperties?.find((one) => one.name === name)?.value;
      const scopes = internal('[[Scopes]]')?.objectId;
      const location = internal('[[FunctionLocation]]')?.value as
        | { scriptId: string; lineNumber: number; columnNumber: number }
        | undefined;
      const ask = (objectId: string) => wanted.push({ objectId }) - 1;
      return {
        location: location && {
          scriptId: location.scriptId,
          line: location.lineNumber,
          column: location.columnNumber,
        },
        scopes: scopes === undefined ? undefined : ask(scopes),
        privates: (properties.privateProperties ?? []).flatMap(({ name, value }) =>
          value
            ? [{ name, value, object: value.objectId === undefined ? undefined : ask(value.objectId) }]
            : [],
        ),
      };
    });
    // The values themselves, not descriptions of them.
    post('Runtime.callFunctionOn', {
      objectId: array,
      functionDeclaration: `function (...all) { globalThis[${JSON.stringify(DOOR)}].answer = all; }`,
      arguments: wanted,
    });
    return parts.map(({ location, scopes, privates }) => ({
      location,
      scopes: scopes === undefined ? [] : scopesOf(door.answer[scopes] as RawScopes),
      privates: new Map(
        privates.map(({ name, value, object }) => [
          name,
          object === undefined ? primitive(value) : door.answer[object],
        ]),
      ),
    }));
  } finally {
    delete (globalThis as Record<string, unknown>)[DOOR];
    if (session) post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  }
}

/**
 * Whether an array or a typed array has properties besides its elements. Listing the keys of a large one would take as
 * long as copying it many times over; V8 can leave the elements out.
 */
export function hasNames(value: object): boolean {
  Object.defineProperty(globalThis, DOOR, { value, configurable: true, enumerable: false });
  try {
    const { objectId } = post<{ result: RemoteValue }>('Runtime.evaluate', {
      expression: `globalThis[${JSON.stringify(DOOR)}]`,
      objectGroup: GROUP,
    }).result;
    const { result } = post<{ result: (Property & { isOwn?: boolean })[] }>('Runtime.getProperties', {
      objectId,
      ownProperties: true,
      nonIndexedPropertiesOnly: true,
    });
    post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    return result.some(({ name, isOwn }) => isOwn !== false && name !== 'length' && name !== '__proto__');
  } catch {
    // No inspector: then no function is captured either, and `capture` says so.
    return false;
  } finally {
    delete (globalThis as Record<string, unknown>)[DOOR];
  }
}

/**
 * The program a function was written in. Asking V8 for one that is not known yet takes many milliseconds in a process
 * with much code, so this is for what can't be told otherwise.
 */
export function fetchScript({ scriptId }: Location): Script | undefined {
  if (!hasScript(scriptId)) {
    post('Debugger.enable', {});
    try {
      const { scriptSource } = post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId });
      keepScript(scriptId, scriptSource);
    } finally {
      post('Debugger.disable', {});
    }
  }
  return knownScript(scriptId);
}

/** By number; a program's file never changes, and asking costs milliseconds, which a run with many failures would feel. */
const paths = new Map<string, string | undefined>();

/** The file that a program was read from; undefined for a cell, or where V8 doesn't say. The first time as slow as `fetchScript`. */
export function fileOf({ scriptId }: Location): string | undefined {
  if (paths.has(scriptId)) return paths.get(scriptId);
  const inspector = open();
  let url = '';
  const hear = ({ params }: { params: { scriptId: string; url: string } }) => {
    if (params.scriptId === scriptId) url = params.url;
  };
  inspector.on('Debugger.scriptParsed', hear);
  try {
    post('Debugger.enable', {});
    post('Debugger.disable', {});
  } finally {
    inspector.off('Debugger.scriptParsed', hear);
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : isAbsolute(url) ? url : undefined;
  paths.set(scriptId, path);
  return path;
}

let probes = 0;

/** V8's number for the program that is compiled next. */
export function nextScriptId(): string {
  const { objectId } = post<{ result: RemoteValue }>('Runtime.evaluate', {
    // Another text each time: the same one is not compiled again.
    expression: `() => ${++probes}`,
    objectGroup: GROUP,
  }).result;
  const { internalProperties } = post<{ internalProperties: Property[] }>('Runtime.getProperties', {
    objectId,
    ownProperties: true,
  });
  post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  const location = internalProperties.find(({ name }) => name === '[[FunctionLocation]]')!.value!.value;
  return String(Number((location as { scriptId: string }).scriptId) + 1);
}

type RawScopes = ArrayLike<{ description: string; object: Record<string, unknown> }>;

function scopesOf(raw: RawScopes): Insight['scopes'] {
  const scopes: { kind: string; variables: Record<string, unknown> }[] = [];
  for (let at = 0; at < raw.length; at++) {
    const { description, object } = raw[at]!;
    if (description !== 'Global') scopes.push({ kind: description, variables: object });
  }
  return scopes;
}

function primitive({ value, unserializableValue: text }: RemoteValue): unknown {
  if (text === undefined) return value;
  if (text.endsWith('n')) return BigInt(text.slice(0, -1));
  // -0, NaN, Infinity, -Infinity
  return Number(text);
}
