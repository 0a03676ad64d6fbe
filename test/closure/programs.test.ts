/**
 * Programs of every hostile kind: each makes a function, which is called here, on a thread and in a process; what comes
 * of it is the same, or the function is refused by name before it goes.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { constants, runInThisContext } from 'node:vm';
import { CaptureError } from '#src/helper/closure/index';
import { keepProgram, Lane, TARGETS } from './lanes';
import { PROGRAMS } from './programs';

/** Sloppy code in a function of its own, as a cell is. */
function make(code: string, isKept = false): () => unknown {
  const text = `(function (require, exports) {${code}\n})`;
  if (isKept) keepProgram(text);
  const program = runInThisContext(text, {
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return program(require, {}) as () => unknown;
}

async function outcome(call: () => unknown): Promise<{ value: unknown } | { error: unknown }> {
  try {
    return { value: await call() };
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    return { error };
  }
}

const lanes = TARGETS.map((target) => new Lane(target));
after(() => {
  for (const lane of lanes) lane.end();
});

for (const [group, programs] of Object.entries(PROGRAMS)) {
  describe(group, () => {
    for (const [name, program] of Object.entries(programs)) {
      const { code, refused } = typeof program === 'string' ? { code: program, refused: undefined } : program;
      test(name, async () => {
        for (const lane of lanes) {
          if (refused) {
            assert.throws(
              () => lane.call(make(code, lane.target === 'thread')),
              (error) => {
                assert.ok(error instanceof CaptureError, `not refused, but ${error}`);
                assert.match(error.message, refused);
                return true;
              },
            );
            continue;
          }
          const there = await outcome(() => lane.call(make(code, lane.target === 'thread')));
          const here = await outcome(() => make(code)());
          assert.ok(
            isDeepStrictEqual(strip(there), strip(here)),
            `${lane.target}: ${JSON.stringify(show(there))} there, ${JSON.stringify(show(here))} here`,
          );
        }
      });
    }
  });
}

/** Traces differ, as they name places. */
function strip(result: { value: unknown } | { error: unknown }): unknown {
  if ('error' in result && result.error instanceof Error) {
    return { error: result.error.name, message: result.error.message, class: result.error.constructor.name };
  }
  return result;
}

function show(value: unknown): unknown {
  return require('node:util').inspect(value, { depth: 6 });
}
