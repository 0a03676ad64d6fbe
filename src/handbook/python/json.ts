/**
 * JSON between a notebook and Python, with one addition: whole numbers of any size, as `bigint` here: `{"__bigint__": "0x…"}`.
 * An object of the reader's that looks like that goes as `{"__bigint__": {"plain": …}}`.
 */

const MARK = '__bigint__';

const isMarked = (value: unknown): value is { [MARK]: unknown } =>
  typeof value === 'object' && value !== null && MARK in value && Object.keys(value).length === 1;

const isPlain = (value: object) => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** @throws TypeError for what JSON would lose silently: NaN, a Map, a function, a class instance without `toJSON`. */
export function stringify(input: unknown, name = 'input'): string {
  const lost = (key: string, what: string): never => {
    const where = key === '' ? name : `${name}, at "${key}",`;
    throw new TypeError(
      `${where} is ${what}, which JSON can't carry to Python. Give numbers, text, true, false, null, and lists and plain objects of those.`,
    );
  };
  const carry = (key: string, value: unknown): unknown => {
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? value : lost(key, String(value));
      case 'bigint':
        return { [MARK]: `${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}` };
      case 'function':
      case 'symbol':
        return lost(key, `a ${typeof value}`);
      case 'object':
        if (value === null || Array.isArray(value)) return value;
        if (isPlain(value)) return isMarked(value) ? { [MARK]: { plain: value[MARK] } } : value;
        if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
          return Array.from(value as unknown as ArrayLike<number>);
        }
        return lost(key, `a ${value.constructor?.name || 'object of a class'}`);
      default:
        return value;
    }
  };
  try {
    return JSON.stringify(input, carry) ?? 'null';
  } catch (error) {
    if (error instanceof TypeError && /circular/.test(error.message)) {
      throw new TypeError(`${name} contains itself, which JSON can't carry to Python.`);
    }
    throw error;
  }
}

export function parse(text: string): unknown {
  return JSON.parse(text, (_key, value) => {
    if (!isMarked(value)) return value;
    const marked = value[MARK];
    if (typeof marked !== 'string') return { [MARK]: (marked as { plain: unknown }).plain };
    return marked.startsWith('-') ? -BigInt(marked.slice(1)) : BigInt(marked);
  });
}
