import vm from 'node:vm';
import { withAwait } from './for-await';
import { tellInterrupt } from './interrupt';

/** A cell that is about to run. */
export interface Cell {
  /** The number JupyterLab shows beside it. */
  readonly number: number;
  /** What the reader wrote. */
  readonly source: string;
  /** The JavaScript that tslab made of it. */
  readonly program: string;
}

interface Handler {
  readonly execCount: number;
  handleExecuteImpl(request: { code: string }, ...rest: unknown[]): unknown;
}

/** What a listener returns runs in the program's place. */
type Listener = (cell: Cell) => string | undefined;

const listeners: Listener[] = [];

/**
 * Calls `listener` for each later cell, just before it runs. It may return another program to run instead. Outside a
 * notebook nothing happens.
 */
export function onCell(listener: Listener): void {
  if (listeners.push(listener) === 1) watch();
}

/** tslab keeps neither: the source passes through its handler, the program through `vm.runInThisContext`. */
function watch(): void {
  const prototype = handlerPrototype();
  if (!prototype) return;
  let running = { number: 0, source: '' };
  const execute = prototype.handleExecuteImpl;
  prototype.handleExecuteImpl = function (request, ...rest) {
    running = { number: this.execCount + 1, source: request.code };
    return execute.call(this, { ...request, code: withAwait(request.code) }, ...rest);
  };
  const run = vm.runInThisContext;
  vm.runInThisContext = (program, options) => {
    const isCell = program.endsWith('\n})(__tslab__.exports, __tslab__.require)');
    if (isCell) for (const listener of listeners) program = listener({ ...running, program }) ?? program;
    try {
      if (!isCell || typeof options !== 'object') return run(program, options);
      // A name that traces can show; and no line of the compiled program above an error.
      return run(program, { ...options, filename: `cell [${running.number}]`, displayErrors: false });
    } catch (error) {
      if ((error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED')
        tellInterrupt();
      throw error;
    }
  };
}

function handlerPrototype(): Handler | undefined {
  for (const [file, module] of Object.entries(require.cache)) {
    if (!/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file)) continue;
    const { JupyterHandlerImpl } = (module?.exports ?? {}) as { JupyterHandlerImpl?: { prototype: Handler } };
    if (JupyterHandlerImpl) return JupyterHandlerImpl.prototype;
  }
  return undefined;
}
