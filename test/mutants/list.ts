/** Faults, each a small change of the compiled package that a tired hand could make. */
export interface Mutant {
  /** Of `src/dist/helper`, without `.js`. */
  readonly file: string;
  readonly what: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
  /** Test files that should notice, the likeliest first. */
  readonly tests: readonly string[];
  /** Why nothing has to notice. */
  readonly harmless?: string;
}

const rules = ['pool/rules'];
const backends = ['pool/backends'];
const crash = ['pool/crash'];
const readers = ['pool/readers'];
const shared = ['pool/shared'];
const record = ['record'];
const capture = ['closure/capture'];
const kinds = ['closure/kinds'];

export const mutants: readonly Mutant[] = [
  // Those that were tried by hand once, and that nothing noticed.
  {
    file: 'pool/pool',
    what: 'ready() does nothing',
    from: 'await Promise.race([this.#engine.ready(), closed]);',
    to: '',
    tests: rules,
  },
  {
    file: 'pool/work',
    what: 'init runs twice a worker',
    from: 'context.local = await origin.run(',
    to: 'await init(); context.local = await origin.run(',
    tests: rules,
  },
  {
    file: 'pool/workers',
    what: 'runs of one pool take no turns',
    from: 'jobs[this.#turn++ % jobs.length]',
    to: 'jobs[tried]',
    tests: rules,
  },
  {
    file: 'pool/local',
    what: 'runs of one async pool take no turns',
    from: '&& first === job',
    to: '',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'no pause before a retry',
    from: 'Math.random() * Math.min(5000, 50 * 2 ** (batch.attempt - 1))',
    to: '0',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'the pause before a retry does not grow',
    from: '50 * 2 ** (batch.attempt - 1)',
    to: '50',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'all come back at the same time',
    from: 'Math.random() * Math.min(5000',
    to: '0.9 * Math.min(5000',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'batches of 1.5 s',
    from: 'const BATCH_MS = 15;',
    to: 'const BATCH_MS = 1500;',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'queuedMs is always 0',
    from: 'queuedMs: Math.max(0, startMs - batch.readyMs)',
    to: 'queuedMs: 0',
    tests: rules,
  },
  {
    file: 'pool/job',
    what: 'queuedMs counts from the start of the run',
    from: 'const readyMs = this.#source.total === null ? this.record.now() : 0;',
    to: 'const readyMs = 0;',
    tests: rules,
  },
  {
    file: 'pool/handle',
    what: 'parts a worker has are sent again',
    from: '.filter((part) => !this.#parts.has(part.id))',
    to: '',
    tests: rules,
  },
  {
    file: 'pool/parmap',
    what: 'parmap freezes the kernel for 2.5 s',
    from: 'const FREEZE_MS = 60;',
    to: 'const FREEZE_MS = 2500;',
    tests: rules,
  },
  {
    file: 'closure/variables',
    what: 'V8 is asked for the file at each failure',
    from: 'if (paths.has(scriptId))',
    to: 'if (false)',
    tests: rules,
  },
  // Who has what.
  {
    file: 'pool/job',
    what: 'one try too few',
    from: 'batch.attempt > (this.options.retries ?? 0)',
    to: 'batch.attempt >= (this.options.retries ?? 0)',
    tests: backends,
  },
  {
    file: 'pool/job',
    what: 'the last item is forgotten',
    from: 'const to = Math.min(again.to, from + size);',
    to: 'const to = Math.min(again.to, from + size); again.first += 1;',
    tests: [...backends, ...crash],
  },
  {
    file: 'pool/job',
    what: 'a failure does not name its item',
    from: 'const reason = (0, errors_1.withItem)(error, index, batch.items[offset]);',
    to: 'const reason = error;',
    tests: backends,
  },
  {
    file: 'pool/job',
    what: 'an item that its neighbour brought down is blamed',
    from: 'alone && offset === batch.end - 1 && !blameless',
    to: 'offset === batch.end - 1',
    tests: crash,
  },
  {
    file: 'pool/job',
    what: 'an endless run has no total when it is done',
    from: "if (this.record.total === null && status === 'done')",
    to: 'if (false)',
    tests: [...backends, ...readers],
  },
  {
    file: 'pool/job',
    what: 'a failed run stops nobody',
    from: "this.#host.stopped(this, status === 'failed' ? GRACE_MS : graceMs);",
    to: '',
    tests: [...readers, ...crash],
  },
  {
    file: 'pool/job',
    what: 'the source of a run that ended stays open',
    from: 'this.#source.close();',
    to: '',
    tests: readers,
  },
  {
    file: 'pool/workers',
    what: 'a timed-out item takes its neighbours along',
    from: 'this.#settleLost(lane, error, batch);',
    to: 'this.#settleLost(lane, error, undefined);',
    tests: ['pool/rules', ...crash],
  },
  {
    file: 'pool/workers',
    what: 'what is cancelled goes on',
    from: 'if (![...lane.inFlight.values()].some(({ batch }) => batch.job === job))',
    to: 'if (true)',
    tests: crash,
  },
  {
    file: 'pool/workers',
    what: 'a cancelled run takes those beside it along',
    from: 'this.#settleLost(lane, undefined, undefined);',
    to: "this.#settleLost(lane, new Error('lost'), undefined);",
    tests: ['pool/rules', ...backends],
  },
  {
    file: 'pool/workers',
    what: 'a dead worker is not replaced for who waits for all',
    from: 'if (this.#waiting.length > 0)\n                    this.#open();',
    to: '',
    tests: ['pool/rules', ...crash],
  },
  {
    file: 'pool/workers',
    what: 'a worker that never comes up is tried for ever',
    from: '++this.#failedStarts >= MOST_STARTS',
    to: 'false',
    tests: ['pool/rules', ...crash],
  },
  {
    file: 'pool/pool',
    what: 'close() does not wait',
    from: 'await Promise.allSettled(this.#running);',
    to: '',
    tests: backends,
  },
  {
    file: 'pool/pool',
    what: 'withOptions() forgets its options',
    from: 'this.map(items, fn, { ...options, ...own })',
    to: 'this.map(items, fn, own)',
    tests: shared,
  },
  {
    file: 'pool/call',
    what: 'a call can’t be cancelled',
    from: 'this.#run.cancel(reason);',
    to: '',
    tests: shared,
  },
  // Workers that wait.
  {
    file: 'pool/idle',
    what: 'all that were ever busy at once are kept',
    from: 'if (known.idle.length >= known.most)',
    to: 'if (false)',
    tests: shared,
  },
  {
    file: 'pool/idle',
    what: 'an init is like another',
    from: 'process.execArgv, made]',
    to: 'process.execArgv]',
    tests: shared,
  },
  {
    file: 'pool/idle',
    what: 'little memory is like much',
    from: 'JSON.stringify([kind, memoryMb,',
    to: 'JSON.stringify([kind,',
    tests: shared,
  },
  {
    file: 'pool/idle',
    what: 'idle workers stay',
    from: 'untilMs <= (0, record_1.now)()',
    to: 'false',
    tests: shared,
  },
  {
    file: 'pool/idle',
    what: 'one that died while it waited is handed out',
    from: 'if (at >= 0)\n            idle.splice(at, 1);',
    to: '',
    tests: shared,
  },
  {
    file: 'pool/handle',
    what: 'a worker keeps the name that it had in another pool',
    from: 'assign(name, events) {\n        this.#name = name;',
    to: 'assign(name, events) {',
    tests: shared,
  },
  // Readers.
  {
    file: 'pool/results',
    what: 'a slow reader is not waited for',
    from: 'const AHEAD = 64;',
    to: 'const AHEAD = 6400;',
    tests: readers,
  },
  {
    file: 'pool/results',
    what: 'large results are not bounded',
    from: 'this.#bytes = bytesOf(value);',
    to: 'this.#bytes = 1;',
    tests: readers,
  },
  {
    file: 'pool/results',
    what: 'a run that is awaited ends with its reader',
    from: 'this.#readers === 0 && !this.awaited',
    to: 'this.#readers === 0',
    tests: readers,
  },
  {
    file: 'pool/results',
    what: 'a run ends with the first of its readers',
    from: '!this.#ended && this.#readers === 0 &&',
    to: '!this.#ended &&',
    tests: readers,
  },
  {
    file: 'pool/results',
    what: 'what one reader left is lost to the others',
    from: 'if (at < taken.length)',
    to: 'if (false)',
    tests: readers,
  },
  {
    file: 'pool/source',
    what: 'an asynchronous source stays open',
    from: 'leave(this.iterator);',
    to: '',
    tests: readers,
  },
  {
    file: 'pool/signal',
    what: 'a listener stays at the signal',
    from: 'stops.get(own)?.();',
    to: '',
    tests: readers,
  },
  // The loop.
  {
    file: 'pool/loop',
    what: 'a batch never leaves the rest to others',
    from: 'if (endMs > untilMs)',
    to: 'if (false)',
    tests: [...rules, ...backends],
  },
  {
    file: 'pool/loop',
    what: 'who waits long keeps those behind it',
    from: 'end = at + 1;',
    to: '',
    tests: backends,
  },
  {
    file: 'pool/loop',
    what: 'a failure has no span',
    from: 'spans.push(1, at > from ? endMs : startMs, endMs);',
    to: '',
    tests: backends,
  },
  {
    file: 'pool/loop',
    what: 'a value that is no number drops those before it',
    from: 'Array.from(this.#numbers.subarray(0, index))',
    to: '[]',
    tests: backends,
  },
  {
    file: 'pool/work',
    what: 'what comes late is nobody’s',
    from: "say({ aside: 'late', batch: printing, from, error: encodeError(error) });",
    to: ';',
    tests: ['pool/late'],
  },
  // Records.
  {
    file: 'record/recording',
    what: 'a growing column loses what it had',
    from: 'twice.set(array);',
    to: '',
    tests: record,
  },
  {
    file: 'record/recording',
    what: 'a record can end twice',
    from: "if (this.#status !== 'running')\n            return;",
    to: '',
    tests: record,
  },
  {
    file: 'record/recording',
    what: 'what was not done is not counted',
    from: 'this.cancelled = this.total - this.ok - this.failed;',
    to: '',
    tests: backends,
  },
  {
    file: 'record/recording',
    what: 'a span without an attempt is its 0th',
    from: 'span.attempt ?? 1',
    to: 'span.attempt ?? 0',
    tests: record,
  },
  {
    file: 'record/export',
    what: 'quotes in CSV are not doubled',
    from: `text.replaceAll('"', '""')`,
    to: 'text',
    tests: record,
  },
  {
    file: 'record/export',
    what: 'a trace counts in milliseconds',
    from: 'ts: span.startMs * 1000,',
    to: 'ts: span.startMs,',
    tests: record,
  },
  {
    file: 'record/timeit',
    what: 'the median is the least',
    from: '(sorted[(times - 1) >> 1] + sorted[times >> 1]) / 2',
    to: 'sorted[0]',
    tests: ['timeit'],
  },
  // Functions on their way.
  {
    file: 'closure/capture',
    what: 'each capture has a graph of its own',
    from: 'if (previous && bytes.equals(previous.bytes))',
    to: 'if (false)',
    tests: capture,
  },
  {
    file: 'closure/capture',
    what: 'bytes that changed are taken for the same',
    from: 'if (!snapshot || !isSame(snapshot.message.bytes, buffer))',
    to: 'if (!snapshot)',
    tests: capture,
  },
  {
    file: 'closure/capture',
    what: 'a capture follows what changes later',
    from: 'const [nodes] = (0, node_v8_1.deserialize)(bytes);',
    to: 'const { nodes } = writer;',
    tests: [...capture, ...backends],
  },
  {
    file: 'closure/parts',
    what: 'the same code is made twice',
    from: 'codes.get(key)',
    to: 'undefined',
    tests: capture,
  },
  {
    file: 'closure/reviver',
    what: 'forgotten parts stay',
    from: 'this.#parts.delete(id);',
    to: '',
    tests: capture,
  },
  {
    file: 'closure/identity',
    what: 'a copy has an identity of its own',
    from: 'ids.set(copy, id);',
    to: '',
    tests: capture,
  },
  {
    file: 'closure/shared',
    what: 'a class that was changed there is used again',
    from: '&& isUnchanged(kept)',
    to: '',
    tests: capture,
  },
  {
    file: 'closure/reader',
    what: 'runs share what they captured',
    from: 'this.#around.isKept ? structuredClone(node.v) : node.v',
    to: 'node.v',
    tests: capture,
  },
  {
    file: 'closure/writer',
    what: 'an assignment to a captured variable is lost',
    from: 'if (use.assignedAt !== undefined)',
    to: 'if (false)',
    tests: capture,
  },
  {
    file: 'closure/members',
    what: 'a method that was replaced is as its text says',
    from: "return writable === true && isFrom(value, 'method', key, expected, keys);",
    to: 'return true;',
    tests: ['closure/programs', ...kinds],
  },
  {
    file: 'closure/standard',
    what: 'a global that a cell replaced is Node’s',
    from: 'then.get !== undefined || then.value === now.value',
    to: 'true',
    tests: [...capture, 'closure/programs'],
  },
  {
    file: 'closure/encode',
    what: 'an error that holds what can’t go is lost',
    from: 'return message(value, options, true);',
    to: 'throw error;',
    tests: capture,
  },
  {
    file: 'closure/modules',
    what: 'a module that was loaded again is the old one',
    from: 'requireHere.cache[module]?.exports === value ? specifierOf(module, base) : undefined',
    to: 'specifierOf(module, base)',
    tests: ['closure/programs', ...capture],
  },
];
