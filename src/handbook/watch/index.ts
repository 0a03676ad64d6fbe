/** What this process does while something runs: how late its event loop is, how much memory it has; and the pictures of both. */
export { loopDelay } from './loop-delay';
export { memory } from './memory';
export { type Sample, type Samples, type Watch, watchLoopDelay, watchMemory } from './watch';
