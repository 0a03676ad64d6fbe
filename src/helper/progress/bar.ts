import { randomBytes } from 'node:crypto';
import { display, escaped, inNotebook } from '../notebook';
import { printable } from '../printable';
import { milliseconds, type RunRecord } from '../record';

/** Ten updates a second are as many as an eye can use. */
const UPDATE_MS = 100;
/** A run that takes longer than this shows a bar by itself, in a notebook. */
const UNASKED_MS = 1000;
const WIDTH = 24;

export interface ProgressBar {
  /** Shows the present state, unless it did so a moment ago: for work that leaves no time to a timer. */
  update(): void;
  /** Shows the final state; nothing is shown after it. */
  end(): void;
}

/**
 * A live bar: done of total, failed, rate, time left, elapsed.
 * @param progress `true` or a label: at once; `false`: never; undefined: in a notebook, after a second
 */
export function showProgress(
  record: () => RunRecord,
  progress: boolean | string | undefined,
): ProgressBar | undefined {
  if (progress === false) return undefined;
  const asked = progress !== undefined;
  const notebook = inNotebook();
  if (!asked && !notebook) return undefined;
  const label = typeof progress === 'string' ? progress : undefined;
  const show = notebook ? inCell(label) : inTerminal(label);

  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  let updatedMs = 0;
  const update = () => {
    shown = true;
    updatedMs = performance.now();
    show(record());
  };
  const begin = () => {
    update();
    timer = setInterval(update, UPDATE_MS);
    timer.unref();
  };
  if (asked) queueMicrotask(() => !ended && begin());
  else {
    timer = setTimeout(begin, UNASKED_MS);
    timer.unref();
  }
  let ended = false;
  return {
    update() {
      if (performance.now() - updatedMs >= UPDATE_MS) update();
    },
    end() {
      ended = true;
      clearTimeout(timer);
      clearInterval(timer);
      if (shown || asked) update();
    },
  };
}

function inCell(label: string | undefined): (record: RunRecord) => void {
  const id = randomBytes(8).toString('hex');
  let update = false;
  return (record) => {
    const text = line(record, label);
    display({ data: { 'text/html': html(record, text), 'text/plain': text } }, id, update);
    update = true;
  };
}

/** A line that is written over, or on what is not a terminal, one line at the end. */
function inTerminal(label: string | undefined): (record: RunRecord) => void {
  return (record) => {
    const ended = record.status !== 'running';
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[2K${line(record, label)}${ended ? '\n' : ''}`);
    } else if (ended) {
      process.stderr.write(`${line(record, label)}\n`);
    }
  };
}

/** `sums [████████░░░░] 37 of 100, 2 failed, 51/s, 1.2 s left, 720 ms` */
function line(record: RunRecord, name = record.label): string {
  const label = printable(name);
  const { total, ok, failed, wallMs, status } = record;
  const done = ok + failed;
  const parts: string[] = [];
  let bar = '';
  if (total !== null) {
    const filled = total === 0 ? WIDTH : Math.floor((WIDTH * done) / total);
    bar = ` [${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}]`;
  }
  parts.push(total === null ? `${done} done` : `${done} of ${total}`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (done > 0 && wallMs > 0) parts.push(`${rate((done / wallMs) * 1000)}/s`);
  if (status === 'running' && total !== null && done > 0) {
    parts.push(`${milliseconds((wallMs / done) * (total - done))} left`);
  }
  parts.push(milliseconds(wallMs));
  if (status !== 'running' && status !== 'done') parts.push(status);
  return `${label}${bar} ${parts.join(', ')}`;
}

function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} million`;
  if (perSecond >= 100) return Math.round(perSecond).toLocaleString('en-US');
  return perSecond.toPrecision(2);
}

function html(record: RunRecord, text: string): string {
  const { total, ok, failed } = record;
  const words = escaped(text.replace(/ \[[█░]*\]/, ''));
  // Without a value the browser shows a bar that says "under way, who knows for how long".
  const ended = record.status !== 'running';
  const value =
    total === null ? (ended ? ' max="1" value="1"' : '') : ` max="${total || 1}" value="${ok + failed}"`;
  return `<div><progress${value} aria-label="${escaped(record.label)}"></progress> <span>${words}</span></div>`;
}
