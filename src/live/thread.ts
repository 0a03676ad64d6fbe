/** A thread of a live pool: has a function, is handed items, answers with what came of them. */

import { now } from './clock';
import { inspect } from './node';
import type { Done, Work } from './protocol';
import { type Factory, unpack } from './travel';

/** Items shorter than this share a span. */
const SHORT_MS = 0.02;

type Spans = Extract<Done, { values: unknown }>['spans'][number][];

export function serve(factories: readonly Factory[], port: MessagePort): void {
  let fn: (item: unknown, index: number, worker: object) => unknown;
  let context: Promise<{ lane: string; local: unknown }>;
  const post = (done: Done) => {
    try {
      port.postMessage(done);
    } catch (error) {
      // What can't be copied to another thread.
      port.postMessage({ values: [], spans: [], error: { error, startMs: now(), endMs: now() } });
    }
  };
  console.log = (...values: unknown[]) =>
    post({ print: values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ') });

  port.postMessage('up');
  port.onmessage = async ({ data }: MessageEvent<Work>) => {
    if ('fn' in data) {
      fn = unpack(data.fn, factories) as typeof fn;
      const init = data.init && (unpack(data.init, factories) as () => unknown);
      context = (async () => ({ lane: data.lane, local: await init?.() }))();
      context.catch(() => {}); // said with the first item
      return;
    }
    const values: unknown[] = [];
    const spans: Spans = [];
    let startMs = now();
    try {
      const worker = await context;
      for (const [offset, item] of data.items.entries()) {
        startMs = now();
        const value = fn(item, data.first + offset, worker);
        values.push(value instanceof Promise ? await value : value);
        note(spans, data.first + offset, startMs, now());
      }
      post({ values, spans });
    } catch (error) {
      post({ values, spans, error: { error, startMs, endMs: now() } });
    }
  };
}

function note(spans: Spans, index: number, startMs: number, endMs: number): void {
  const last = spans.at(-1);
  const isShort = endMs - startMs < SHORT_MS;
  if (isShort && last && last.endMs - last.startMs < SHORT_MS * last.count) {
    spans[spans.length - 1] = { ...last, count: last.count + 1, endMs };
  } else spans.push({ index, count: 1, startMs, endMs });
}
