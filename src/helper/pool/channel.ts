/**
 * A worker's way to its kernel, which items can't disturb: what they send by `parentPort.postMessage` or `process.send` goes to nobody,
 * what they hear is not ours, and what they close or remove is their own.
 */
import type { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import * as threads from 'node:worker_threads';

/** Sends to the kernel. */
export type Send = (message: unknown, transfer?: ArrayBuffer[]) => void;

/**
 * Takes the channel away from items; called once, when workerpool listens already.
 * @param isItem whether what calls now is an item's code: workerpool's own answers go by `process.send`, too
 */
export function ownChannel(isItem: () => boolean): Send {
  const { parentPort } = threads;
  if (parentPort) {
    const send = parentPort.postMessage.bind(parentPort);
    // A port of their own, whose other end nobody has.
    const { port1 } = new threads.MessageChannel();
    port1.unref();
    const room = require('node:worker_threads') as { parentPort: unknown };
    room.parentPort = port1;
    syncBuiltinESMExports();
    return send;
  }
  const send = process.send!.bind(process);
  const events: EventEmitter = process;
  const ours = new Map(['message', 'disconnect'].map((event) => [event, events.rawListeners(event)]));
  const emit = events.emit.bind(events);
  events.emit = (event: string | symbol, ...args: unknown[]) => {
    const listeners = ours.get(event as string);
    if (!listeners) return emit(event, ...args);
    for (const listener of listeners) listener.apply(process, args);
    return true;
  };
  // Node keeps messages back while nobody seems to listen.
  const listenerCount = events.listenerCount.bind(events);
  events.listenerCount = (event, ...rest) => (ours.has(event as string) ? 1 : listenerCount(event, ...rest));
  process.send = ((message: unknown, ...rest: unknown[]) => {
    if (!isItem()) return send(message);
    const callback = rest.find((one) => typeof one === 'function') as ((error: null) => void) | undefined;
    if (callback) process.nextTick(callback, null);
    return true;
  }) as typeof process.send;
  process.disconnect = () => {};
  // Node lets go of it when the last listener is removed, unless it was told to hold on.
  process.channel?.ref();
  return (message) => void send(message);
}
