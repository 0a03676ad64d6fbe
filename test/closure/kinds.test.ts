/** What arrives on which backend: as captures, arguments and results. The table in src/helper/closure/KINDS.md is made of it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { runInThisContext } from 'node:vm';
import { CaptureError, capture, encode } from '#src/helper/closure/index';
import { KINDS, type Kind } from './kinds';
import { Lane, TARGETS, type Target } from './lanes';

const FILE = join(__dirname, '..', '..', '..', 'src', 'helper', 'closure', 'KINDS.md');

type Require = NodeJS.Require;
type Any = (...args: unknown[]) => unknown;
const make = (code: string): unknown =>
  (runInThisContext(`(require) => (${code})`) as (r: Require) => unknown)(require);

const lanes = {} as Record<Target, Lane>;
before(() => {
  for (const target of TARGETS) lanes[target] = new Lane(target);
});
after(() => {
  for (const target of TARGETS) lanes[target].end();
});

const arrivals = new Map<Kind, Record<Target, string>>();
/** What to do instead, as the refusal says. */
const advice = new Map<Kind, string>();

/** How the value goes, read from the capture of a function that uses it. */
function travels(value: unknown, target: Target): string {
  const captured = capture(() => value, { target });
  const graph = captured.parts.find(({ id }) => id === captured.id)!.message as {
    nodes: { t: string; v: (null | readonly [number])[] }[];
  };
  const slot = graph.nodes[0]!.v[0];
  if (typeof slot !== 'object' || slot === null) return 'as it is';
  const { t } = graph.nodes[slot[0]]!;
  if (t === 'standard' || t === 'symbol') return 'the same';
  if (t === 'import' || t === 'require') return 'imported again';
  const isShared = graph.nodes.some((node) => node.t === 'shared');
  return isShared ? 'the same memory' : 'a copy';
}

async function arrival(kind: Kind, target: Target): Promise<string> {
  const lane = lanes[target];
  const check = make(`(v) => (${kind.check ?? 'v'})`) as Any;
  const expected = check(make(kind.value));
  try {
    const value: unknown = make(kind.value);
    const captured = await lane.call(
      (make('(value, check) => () => check(value)') as Any)(value, check) as Any,
    );
    assert.deepEqual(captured, expected, 'captured');
    assert.deepEqual(await lane.call(check, value), expected, 'as an argument');
    const back = await lane.call(make(`() => (${kind.value})`) as Any);
    assert.ok(isDeepStrictEqual(check(back), expected) || /require|process/.test(kind.value), 'as a result');
    return travels(make(kind.value), target);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const refusal = error.message.split('\n')[0]!;
    // What can't be captured is no argument or result either.
    assert.throws(() => encode(make(kind.value), { target, name: 'item 3' }), CaptureError);
    advice.set(
      kind,
      /\. (.*?)\.?$/.exec(refusal.replace(/^.*?, which can't leave this process|^.*?: /, ''))![1]!,
    );
    return 'refused';
  }
}

for (const [group, kinds] of Object.entries(KINDS)) {
  describe(group, () => {
    for (const kind of kinds) {
      test(kind.kind, async () => {
        arrivals.set(kind, {
          thread: await arrival(kind, 'thread'),
          process: await arrival(kind, 'process'),
        });
      });
    }
  });
}

test('src/helper/closure/KINDS.md is what was found (write it anew with UPDATE=1)', () => {
  const lines = [
    '# What arrives where',
    '',
    'What a function may use, take and give back, and how it gets to a worker. This table is written by',
    '`test/closure/kinds.test.ts`, which tries every line of it on a real thread and in a real process: as a captured',
    'variable, as an argument and as a result. On the backends `serial` and `async` everything is the same object.',
    'A cluster is like a process.',
    '',
    '- What is captured is a copy: changing an object there changes the copy.',
    '- State that a worker keeps comes from `init`.',
    '- What is refused is refused before anything starts, by a `CaptureError` that names it and what to do instead.',
  ];
  for (const [group, kinds] of Object.entries(KINDS)) {
    lines.push('', `## ${group}`, '', '| | thread | process | |', '|---|---|---|---|');
    for (const kind of kinds) {
      const { thread, process } = arrivals.get(kind)!;
      lines.push(`| ${kind.kind} | ${thread} | ${process} | ${kind.note ?? advice.get(kind) ?? ''} |`);
    }
  }
  const text = `${lines.join('\n')}\n`;
  if (process.env.UPDATE) writeFileSync(FILE, text);
  assert.equal(readFileSync(FILE, 'utf8'), text);
});
