import { decode, encode } from '../closure';
import type { Batch, Outcome } from './batch';
import type { DoneMessage } from './protocol';
import { checkSize } from './size';

/**
 * A batch's items as they travel: see `BatchMessage.items`.
 * @param transfer gets the memory to hand over
 * @throws CaptureError when an item can't travel
 */
export function encodeItems(
  batch: Batch,
  target: 'thread' | 'process' | 'cluster',
  transfer: ArrayBuffer[],
): unknown {
  const numbers = asNumbers(batch.items);
  if (numbers) {
    if (batch.items !== numbers) transfer.push(numbers.buffer as ArrayBuffer);
    return numbers;
  }
  const items = Array.isArray(batch.items) ? batch.items : Array.from(batch.items);
  if (target === 'process') checkSize(items, items.length === 1 ? `Item ${batch.first}` : 'A batch of items');
  const name = (way: string) => nameOf(way, batch);
  const encoded = encode(items, { target, name });
  transfer.push(...encoded.transfer);
  return encoded.message;
}

/** A place in the array of a batch's items, as the reader would call it: `item 12.socket`, `arguments[0]`. */
function nameOf(way: string, { first, job }: Batch): string {
  const [, offset, rest = ''] = /^\[(\d+)\](.*)$/s.exec(way) ?? [];
  if (offset === undefined) return `items from ${first} on${way}`;
  return job.spread ? `arguments${rest}` : `item ${first + Number(offset)}${rest}`;
}

/** Items that are all numbers travel as a typed array. */
function asNumbers(items: ArrayLike<unknown>): Float64Array | undefined {
  if (items instanceof Float64Array) return items;
  const numbers = new Float64Array(items.length);
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    if (typeof item !== 'number') return undefined;
    numbers[at] = item;
  }
  return numbers;
}

/** What came of a batch, in the kernel's own values. */
export function fromMessage(message: DoneMessage): Outcome {
  const failures = new Map<number, unknown>();
  for (const [offset, error] of message.failures) failures.set(offset, decode(error));
  const values =
    message.values instanceof Float64Array ? message.values : (decode(message.values) as ArrayLike<unknown>);
  return { ...message, values, failures };
}
