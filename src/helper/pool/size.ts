/** What is too large for one message between processes: Node puts it together from pieces, and fails where nobody can catch it. */

import { types } from 'node:util';

/** Half of what Node's buffers hold for sure. */
const MOST_BYTES = 2 ** 30;
/** A process that has less in all has nothing that large: then nothing is counted. */
const SUSPICIOUS_BYTES = 2 ** 29;

/** @throws RangeError with its size, for a value that doesn't go into one message */
export function checkSize(value: unknown, what: string): void {
  if (process.memoryUsage.rss() < SUSPICIOUS_BYTES) return;
  const bytes = sizeOf(value, new Set());
  if (bytes <= MOST_BYTES) return;
  const gb = (bytes / 2 ** 30).toFixed(1);
  throw new RangeError(
    `${what} has ${gb} GiB, and a message between processes holds at most 1 GiB. Give less: a part, a summary, the path of a file; or use threads and a SharedArrayBuffer.`,
  );
}

/** So many values are looked at: what is that large is large in a few places. */
const MOST_VALUES = 20_000;
const MOST_DEPTH = 20;

/** Memory and text in plain data; what else there is counts little. */
function sizeOf(value: unknown, seen: Set<object>, depth = 0): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || seen.has(value)) return 8;
  if (depth > MOST_DEPTH || seen.size > MOST_VALUES || types.isProxy(value)) return 8;
  seen.add(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  let bytes = 16;
  const add = (one: unknown) => {
    bytes += sizeOf(one, seen, depth + 1);
  };
  if (value instanceof Map) {
    Map.prototype.forEach.call(value, (one, key) => {
      add(key);
      add(one);
    });
  } else if (value instanceof Set) Set.prototype.forEach.call(value, add);
  else for (const { value: one } of Object.values(Object.getOwnPropertyDescriptors(value))) add(one);
  return bytes;
}
