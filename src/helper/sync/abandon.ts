/** What a thread held when it ended must not be waited for for ever. */
type Abandon = (threadId: number) => void;

const held = new Set<WeakRef<{ abandon: Abandon }>>();

/** Locks made in the kernel hear of the end of threads. */
export function hearOfEnds(lock: { abandon: Abandon }): void {
  held.add(new WeakRef(lock));
}

/** Called when a thread has ended, however it did. */
export function abandon(threadId: number): void {
  for (const reference of held) {
    const lock = reference.deref();
    if (lock) lock.abandon(threadId);
    else held.delete(reference);
  }
}
