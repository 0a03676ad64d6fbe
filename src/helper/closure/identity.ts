/** Who a function or symbol is: kept through every copy, so that what comes back is the original again. */

/** Of this process or thread. */
// No secret, only to be told apart; node:crypto would take a starting worker some milliseconds.
const here = [0, 0].map(() => Math.random().toString(36).slice(2, 10)).join('');
let last = 0;
const ids = new WeakMap<object, string>();
const originals = new Map<string, WeakRef<object>>();
const gone = new FinalizationRegistry<string>((id) => originals.delete(id));

/** A name nothing else has, in any process. */
export function freshId(): string {
  return `${here}.${(++last).toString(36)}`;
}

// Registered symbols are never asked for; Node 20 can hold the others weakly, its types don't know yet.
type Holder = object | symbol;

export function identityOf(holder: Holder): string {
  let id = ids.get(holder as object);
  if (id === undefined) {
    id = freshId();
    ids.set(holder as object, id);
    originals.set(id, new WeakRef(holder as object));
    gone.register(holder as object, id);
  }
  return id;
}

/** Gives a copy the identity of its original. */
export function adopt(copy: Holder, id: string): void {
  ids.set(copy as object, id);
}

/** The function or symbol itself, where it was made here and still lives. */
export function original(id: string): Holder | undefined {
  return originals.get(id)?.deref();
}

/** True for a copy of something made in another process or thread. */
export function isForeign(holder: Holder): boolean {
  const id = ids.get(holder as object);
  return id !== undefined && !id.startsWith(`${here}.`);
}
