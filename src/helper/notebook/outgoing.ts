/**
 * Nothing that a cell prints or shows may be lost on its way out.
 *
 * tslab does not wait until a message is sent. Each 513th, zeromq.js puts off until the event loop turns, and what is sent
 * before that it refuses ("Socket is busy writing"): a cell that printed 1,000 lines at once lost all after the 506th, and,
 * where the message lost was the last one, seemed to run for ever. A socket with a send timeout of 0 puts nothing off.
 *
 * A publisher also drops, silently, what a slow reader has not fetched once 1,000 messages wait for it (ZMQ_SNDHWM): on a busy
 * machine that is a cell of some thousand lines. Without that limit they wait in the kernel's memory instead.
 */
interface Outgoing {
  sendTimeout: number;
  sendHighWaterMark: number;
  send(...message: unknown[]): Promise<void>;
}

const patched = new WeakSet<object>();

/** Makes the sockets of the kernel that is running send at once. Does nothing elsewhere, or the second time. */
export function sendAtOnce(): void {
  // Several copies of zeromq may be loaded, one for each tslab.
  for (const [file, module] of Object.entries(require.cache)) {
    if (!/[\\/]zeromq[\\/]lib[\\/]index\.js$/.test(file)) continue;
    const { Publisher, Router } = (module?.exports ?? {}) as Record<
      string,
      { prototype: Outgoing } | undefined
    >;
    for (const prototype of [Publisher?.prototype, Router?.prototype]) {
      if (!prototype || patched.has(prototype)) continue;
      patched.add(prototype);
      const { send } = prototype;
      // tslab keeps its sockets to itself; each is met when it next sends.
      const sendNow = function (this: Outgoing, ...message: unknown[]) {
        if (!patched.has(this)) {
          patched.add(this);
          this.sendTimeout = 0;
          // Only there: of a Router (answers, which are few) libzmq 4.3 crashes at the kernel's end after that.
          if (prototype === Publisher?.prototype) this.sendHighWaterMark = 0;
        }
        return send.apply(this, message);
      };
      Object.defineProperty(prototype, 'send', { value: sendNow, writable: true, configurable: true });
    }
  }
}
