/**
 * Programs of the notebook's cells, kept as they run: functions of known programs are captured several times faster,
 * and messages can show the reader's own line.
 */
import { inNotebook, onCell } from '../notebook';
import { capture } from './capture';
import { keepScript, knownScript } from './script';
import { withLongForms } from './short-forms';
import { nameCell, shortenTraces } from './traces';
import { nextScriptId } from './variables';

onCell(({ number, source, program: compiled }) => {
  const program = withLongForms(compiled, isEarlier);
  try {
    const id = nextScriptId();
    keepScript(id, program, { number, source });
    nameCell(number, id);
    // Reading it takes a hundredth of what compiling it took, and spares the first capture that.
    if (program.length < 100_000) knownScript(id);
  } catch {
    // No inspector: then nothing is captured either, and `capture` says so.
  }
  return program;
});

/** tslab keeps what cells declare in one object. */
function isEarlier(name: string): boolean {
  const { exports } = (globalThis as { __tslab__?: { exports?: object } }).__tslab__ ?? {};
  return exports !== undefined && Object.hasOwn(exports, name);
}

/** The first capture loads and compiles much; here the reader doesn't wait for it. */
if (inNotebook()) {
  shortenTraces();
  setImmediate(() => {
    class Sample {
      readonly list = [1];
      add(x: number) {
        return [...this.list, x];
      }
    }
    const help = (x: number) => new Sample().add(x);
    try {
      capture((x: number) => help(x), { target: 'thread' });
    } catch {
      // The reader will be told at the first real one.
    }
  });
}
