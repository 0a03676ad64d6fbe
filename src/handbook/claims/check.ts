import { availableParallelism, loadavg } from 'node:os';
import { inspect } from 'node:util';
import { display } from '../../helper/notebook/display';
import { figure } from '../../helper/notebook/figure';
import { escaped } from '../../helper/notebook/html';

/** What a claim lets one expect of a measured value. Give one of them. */
export interface Expectation {
  /** The measured value is a result, and must be exactly this. */
  equals?: unknown;
  atMost?: number;
  atLeast?: number;
  /** Why it can't be shown on this machine, or something falsy where it can. */
  cannot?: string | false | null | undefined;
}

export type Verdict = 'held' | 'did not hold' | "can't be shown here";

/** A claim of the text, checked against what this run measured. */
export interface Check {
  readonly claim: string;
  /** `result`: right or wrong whatever the machine does; `measure`: depends on how busy the machine is. */
  readonly kind: 'result' | 'measure';
  readonly expected: string;
  readonly measured: string;
  readonly verdict: Verdict;
  /** Why it can't be shown, or what may have spoilt it. */
  readonly why?: string;
}

/** The format in which a check is kept in a notebook's output, beside the text that people read. */
export const CHECK_MIME = 'application/vnd.tslab-parallel.check+json';

/**
 * Checks a claim and shows below the cell whether it held in this run. A claim that did not hold is no error: a busy
 * machine is no reason to stop a reader.
 *
 * @param measured a number, or with `equals` any value
 * @example check('threads take at most 0.65 of the loop', threads / loop, { atMost: 0.65 })
 * @throws TypeError when the expectation is not one
 */
export function check(claim: string, measured: unknown, expectation: Expectation): void {
  if (typeof claim !== 'string') throw new TypeError(`claim must be a string; got ${inspect(claim)}.`);
  show({ claim, ...judge('check', measured, expectation) });
}

/** What one measured value says to an expectation. */
export type Judgement = Omit<Check, 'claim'>;

/**
 * @param caller whose expectation it is, for the error
 * @throws TypeError when the expectation is not one
 */
export function judge(caller: string, measured: unknown, expectation: Expectation): Judgement {
  const given = (['equals', 'atMost', 'atLeast'] as const).filter((key) => expectation?.[key] !== undefined);
  const [how] = given;
  if (how === undefined || given.length > 1) {
    throw new TypeError(
      `${caller} needs one of equals, atMost, atLeast; got ${given.join(' and ') || inspect(expectation)}.`,
    );
  }
  const expected = expectation[how];
  if (how !== 'equals' && (typeof expected !== 'number' || typeof measured !== 'number')) {
    throw new TypeError(`${how} compares numbers; got ${inspect(measured)} and ${inspect(expected)}.`);
  }
  const holds =
    how === 'equals'
      ? inspect(measured, { depth: 10 }) === inspect(expected, { depth: 10 })
      : how === 'atMost'
        ? (measured as number) <= (expected as number)
        : (measured as number) >= (expected as number);
  const kind = how === 'equals' ? 'result' : 'measure';
  const bound = { equals: '', atMost: 'at most ', atLeast: 'at least ' }[how];
  return {
    kind,
    expected: bound + textOf(expected, kind),
    measured: textOf(measured, kind),
    verdict: expectation.cannot ? "can't be shown here" : holds ? 'held' : 'did not hold',
    ...why(expectation, how !== 'equals' && !holds),
  };
}

function why({ cannot }: Expectation, isMissed: boolean): { why?: string } {
  if (cannot) return { why: cannot };
  const load = loadavg()[0]!;
  const cores = availableParallelism();
  // Programs that wait for a core make every measure longer.
  if (isMissed && load > 2.5 * cores) {
    return { why: `the machine is busy: ${load.toFixed(1)} programs want its ${cores} cores` };
  }
  return {};
}

function show(check: Check): void {
  const { claim, expected, measured, verdict, why } = check;
  const mark = MARKS[verdict];
  const said = why ? ` (${why})` : '';
  const text = `${mark} ${verdict}${said}: ${claim}. Expected ${expected}, measured ${measured}.`;
  const shown = display({
    data: {
      'text/html':
        `<p><strong>${mark} ${escaped(verdict)}</strong>${escaped(said)}: ${escaped(claim)}. ` +
        `Expected ${escaped(expected)}, measured ${escaped(measured)}.</p>`,
      'text/plain': text,
      [CHECK_MIME]: check,
    },
  });
  if (!shown) console.log(text);
}

/** Told apart by shape, not by colour. */
export const MARKS: Record<Verdict, string> = { held: '✓', 'did not hold': '✗', "can't be shown here": '–' };

/** A measure is rounded; a result that must be exact is not. */
function textOf(value: unknown, kind: Check['kind']): string {
  if (
    typeof value === 'number' &&
    (kind === 'measure' || (Number.isInteger(value) && Math.abs(value) >= 1000))
  )
    return figure(value);
  return inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY });
}
