import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { display, inNotebook } from '../../helper/notebook/display';
import { escaped } from '../../helper/notebook/html';
import { type Expectation, judge, MARKS, type Verdict } from './check';

/** What a language shows of a claim. */
export interface Finding {
  readonly measured: string;
  readonly verdict: Verdict;
  /** Why it can't be shown, or what may have spoilt it. */
  readonly why?: string;
}

/** A claim of a document, held against what two languages did. */
export interface Claim {
  readonly statement: string;
  /** `result`: right or wrong whatever the machine does; `measure`: depends on how busy the machine is. */
  readonly kind: 'result' | 'measure';
  readonly expected: string;
  readonly python?: Finding;
  readonly typescript?: Finding;
  /** Versions of what showed it. `python` is missing where no Python program has run. */
  readonly ran: { readonly node: string; readonly python?: string };
  /** When; ISO 8601. */
  readonly at: string;
}

/** The format in which a claim is kept in a notebook's output, beside the text that people read. */
export const CLAIM_MIME = 'application/vnd.tslab-parallel.claim+json';

const LANGUAGES = ['python', 'typescript'] as const;
const NAMES = { python: 'Python', typescript: 'TypeScript' } as const;

/**
 * Holds a claim of a document against what Python and TypeScript did in this run, and shows below the cell in which of
 * them it held. That a claim does not hold is no error: it may be true of one language and not of the other.
 *
 * In a notebook the newest outcome is kept in the folder `.claims` beside it, for {@link claims}, which finds the claim in
 * the notebook by its statement: so write that as one string, once in all notebooks.
 *
 * @param found a number for each language, or with `equals` any value; leave out what was not tried
 * @example
 * claim('Threads make arithmetic no faster',
 *   { python: 1.02, typescript: 0.54 }, { atLeast: 0.85 });
 * @throws TypeError when the expectation is not one, or a value is not a number
 */
export function claim(
  statement: string,
  found: { python?: unknown; typescript?: unknown },
  expectation: Expectation,
): void {
  if (typeof statement !== 'string' || statement.trim() === '') {
    throw new TypeError(`A claim needs a statement, as a string; got ${inspect(statement)}.`);
  }
  const tried = LANGUAGES.filter((language) => found?.[language] !== undefined);
  const unknown = Object.keys(found ?? {}).filter((key) => !(LANGUAGES as readonly string[]).includes(key));
  if (tried.length === 0 || unknown.length > 0) {
    throw new TypeError(
      `claim needs what was found in { python, typescript }, one of them or both; got ${inspect(found)}.`,
    );
  }
  const judged = tried.map((language) => ({ language, ...judge('claim', found[language], expectation) }));
  const [{ kind, expected }] = judged as [(typeof judged)[number]];
  const outcome: Claim = {
    statement,
    kind,
    expected,
    ...Object.fromEntries(
      judged.map(({ language, measured, verdict, why }) => [
        language,
        { measured, verdict, ...(why ? { why } : {}) },
      ]),
    ),
    ran: { node: process.versions.node, ...(pythonVersion ? { python: pythonVersion } : {}) },
    at: new Date().toISOString(),
  };
  show(outcome);
  if (inNotebook()) remember(outcome);
}

let pythonVersion: string | undefined;

/** Tells which Python ran: claims say so. */
export function sawPython(version: string): void {
  pythonVersion = version;
}

function show(outcome: Claim): void {
  const { statement, expected } = outcome;
  const found = LANGUAGES.flatMap((language) => {
    const finding = outcome[language];
    return finding ? [{ name: NAMES[language], mark: MARKS[finding.verdict], told: tell(finding) }] : [];
  });
  const text =
    `The document: ${statement}. ` +
    `${found.map(({ name, mark, told }) => `${name}: ${mark} ${told}.`).join(' ')} Expected ${expected}.`;
  const html =
    `<p>The document: <em>${escaped(statement)}</em>. ` +
    `${found.map(({ name, mark, told }) => `${name}: <strong>${mark} ${escaped(told)}</strong>.`).join(' ')} ` +
    `Expected ${escaped(expected)}.</p>`;
  if (!display({ data: { 'text/html': html, 'text/plain': text, [CLAIM_MIME]: outcome } })) console.log(text);
}

/** `held (1.02)` */
export function tell({ measured, verdict, why }: Finding): string {
  return `${verdict} (${[measured, ...(why ? [why] : [])].join('; ')})`;
}

/** Beside the notebooks: a kernel's working directory is its notebook's folder. Not in git. */
const folder = () => join(process.cwd(), '.claims');

/** A file for each claim, replaced as a whole: so two kernels can write at the same time, and the newest outcome stays. */
function remember(outcome: Claim): void {
  const name = createHash('sha256').update(outcome.statement).digest('hex').slice(0, 16);
  const file = join(folder(), `${name}.json`);
  const partial = `${file}.${process.pid}.partial`;
  try {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(partial, `${JSON.stringify(outcome)}\n`);
    renameSync(partial, file);
  } catch (error) {
    // Whoever may not write here can still read the line below the cell.
    console.warn(`The table of claims will not have this one: ${(error as Error).message}`);
  }
}

/** The newest outcome of each claim that was shown by a notebook in this folder, by its statement. */
export function remembered(): Map<string, Claim> {
  const outcomes = new Map<string, Claim>();
  let names: string[] = [];
  try {
    names = readdirSync(folder()).filter((name) => name.endsWith('.json'));
  } catch {
    // No notebook has run here.
  }
  for (const name of names) {
    try {
      const outcome = JSON.parse(readFileSync(join(folder(), name), 'utf8')) as Claim;
      outcomes.set(outcome.statement, outcome);
    } catch {
      // Not one of ours, or it has just been removed.
    }
  }
  return outcomes;
}
