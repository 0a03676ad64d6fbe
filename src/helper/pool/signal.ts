/** Who listens to each signal. A program has one signal for all its runs, and Node warns of a leak from 10 listeners on. */
const listening = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when the signal aborts: one listener on the signal, however many runs have it, and none when the last has ended.
 * @returns a function that stops listening
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  let actions = listening.get(signal);
  if (!actions) {
    const all = new Set<() => void>();
    const tell = () => {
      listening.delete(signal);
      for (const each of [...all]) each();
    };
    signal.addEventListener('abort', tell, { once: true });
    listening.set(signal, all);
    stops.set(all, () => signal.removeEventListener('abort', tell));
    actions = all;
  }
  const own = actions;
  own.add(act);
  return () => {
    own.delete(act);
    if (own.size > 0 || listening.get(signal) !== own) return;
    listening.delete(signal);
    stops.get(own)?.();
  };
}

const stops = new WeakMap<Set<() => void>, () => void>();
