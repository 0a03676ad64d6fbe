/**
 * The first lines of a worker, thread or process: it says that it is there, and loads what it works with (`work.ts`) while
 * the kernel sends the first batch.
 */
import type { BatchMessage, Hello } from './protocol';

// Only the worker's half of workerpool: the whole takes several milliseconds more, at each start of a worker.
const { add: serve } = require('workerpool/src/worker') as { add(methods: object): void };
const rest = () => require('./work') as typeof import('./work');

let greet: (() => void) | undefined;

serve({
  hello: (message: Hello) => {
    if (!message.hurry) return rest().hello(message);
    greet = () => {
      greet = undefined;
      void rest().hello(message);
    };
    setImmediate(() => greet?.());
    return undefined;
  },
  work: (message: BatchMessage) => {
    greet?.();
    return rest().work(message);
  },
});
