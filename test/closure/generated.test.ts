/**
 * Programs written by chance give the same answer here, on a thread and in a process, or are refused by name. How many:
 * `CLOSURE_PROGRAMS` (default 300); `CLOSURE_SEED` repeats a run.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Script } from 'node:vm';
import fc from 'fast-check';
import { CaptureError } from '#src/helper/closure/index';
import { generate } from './generate';
import { keepProgram, Lane, TARGETS } from './lanes';

const PROGRAMS = Number(process.env.CLOSURE_PROGRAMS ?? 300);
const SEED = process.env.CLOSURE_SEED === undefined ? undefined : Number(process.env.CLOSURE_SEED);

// Generated programs make promises nobody waits for.
process.on('unhandledRejection', () => {});

let lanes: Lane[] = [];
after(() => {
  for (const lane of lanes) lane.end();
});

type Outcome = { value: unknown } | { error: string } | { refused: string };

/** Every call of it makes the program's world anew. */
function compile(code: string, isKept: boolean): (() => () => unknown) | undefined {
  const text = `(function (require, exports) { return (function () {${code}\n})() })`;
  try {
    if (isKept) keepProgram(text);
    const program = new Script(text).runInThisContext() as (
      require: NodeJS.Require,
      exports: object,
    ) => () => unknown;
    return () => program(require, {});
  } catch (error) {
    // Chance wrote what no engine accepts, such as a name declared twice.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function outcome(
  make: () => () => unknown,
  call: (fn: () => unknown) => unknown,
): Promise<Outcome | undefined> {
  let fn: () => unknown;
  try {
    fn = make();
  } catch {
    return undefined;
  }
  try {
    return { value: await call(fn) };
  } catch (error) {
    return error instanceof CaptureError ? { refused: error.message } : { error: String(error) };
  }
}

const counts = { same: 0, refused: 0, failed: 0, unusable: 0 };

test(`${PROGRAMS} generated programs`, async (t) => {
  lanes = TARGETS.map((target) => new Lane(target));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 40, maxLength: 700 }), async (tape) => {
      const { code, mayBeRefused } = generate(tape);
      const make = compile(code, tape[0]! % 2 === 0);
      const here = make && (await outcome(make, (fn) => fn()));
      if (!make || !here) {
        counts.unusable++;
        return;
      }
      for (const lane of lanes) {
        const there: Outcome = (await outcome(make, (fn) => lane.call(fn)))!;
        if ('refused' in there) {
          assert.ok(mayBeRefused && /assigns to/.test(there.refused), `${there.refused}\n\n${code}`);
          counts.refused++;
          continue;
        }
        counts['error' in here ? 'failed' : 'same']++;
        if (!isDeepStrictEqual(there, here)) {
          assert.fail(
            `${lane.target}: ${JSON.stringify(there)}\nhere: ${JSON.stringify(here)}\n\n${code.slice(code.indexOf('\n};') + 3)}`,
          );
        }
      }
    }),
    { numRuns: PROGRAMS, includeErrorInReport: true, ...(SEED === undefined ? {} : { seed: SEED }) },
  );
  t.diagnostic(JSON.stringify(counts));
  // Programs that can't be made, or fail at once, say little.
  assert.ok(counts.same > PROGRAMS, JSON.stringify(counts));
});
