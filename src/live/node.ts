/** What the helper takes from Node, as far as a browser needs it. */
import objectInspect from 'object-inspect';

const custom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** Text of a value, as a cell prints it. */
export const inspect = Object.assign(
  (value: unknown, options: { depth?: number | null } = {}): string => {
    const own: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, custom) : undefined;
    if (typeof own === 'function') return String(own.call(value, inspect.defaultOptions.depth, options));
    return objectInspect(value, { depth: options.depth ?? 4, quoteStyle: 'single' });
  },
  { custom, defaultOptions: { depth: 2 } },
);

export function stripVTControlCharacters(text: string): string {
  return text.replace(/\p{Cc}\[[\d;]*[A-Za-z]/gu, '');
}

/** Names that only have to differ: no secret hangs on them. */
export function createHash() {
  let state = 0x811c9dc5;
  const hash = {
    update(text: string) {
      for (let at = 0; at < text.length; at++)
        state = Math.imul(state ^ text.charCodeAt(at), 0x01000193) >>> 0;
      return hash;
    },
    digest: () => state.toString(16).padStart(8, '0'),
  };
  return hash;
}

export function randomBytes(length: number): { toString(): string } {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return { toString: () => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
}

export const availableParallelism = (): number => navigator.hardwareConcurrency || 1;
/** Unknown: nothing is said of it. */
export const loadavg = (): number[] => [0, 0, 0];
export const dirname = (path: string): string => path;
