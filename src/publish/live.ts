/**
 * Live cells: checked and compiled when the page is made, so that the page itself makes no code of text. A cell becomes a function
 * of the values it uses, and each function in it is written once more as a factory, so that it can be made anew in a thread.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AnyNode,
  type Class,
  type Function as FunctionNode,
  type Node,
  type Program,
  parse,
} from 'acorn';
import { build, type Plugin, transform } from 'esbuild';
import { CliError } from '../cli/step';
import { bindingOf, type Scope, scopeIn, Walk } from '../helper/closure/walk';

/** A knob as the page shows it. */
export interface Knob {
  readonly name: string;
  readonly value: number | string | boolean;
  /** Values to try, the cell's own among them. */
  readonly tries: readonly (number | string | boolean)[];
}

/** What the page needs of its live cells. */
export interface LivePage {
  /** By the cell's id. */
  readonly cells: Readonly<Record<string, readonly Knob[]>>;
  /** Files beside the page, in the order in which they are loaded. They are there. */
  readonly assets: readonly string[];
}

interface Cell {
  readonly id: string;
  readonly number: number;
  readonly source: string;
  readonly isLive: boolean;
}

/** What the kernel in the page offers: see `src/live/kernel.ts`. */
const OFFERED = new Set(
  'availableCores check compare createPool latency lines parmap Recording runOn seededRandom show simulate speedup sweep table timeit timeline utilization'.split(
    ' ',
  ),
);
const DOORS = ['tslab-parallel', 'tslab-parallel/handbook'];
/** What JavaScript has everywhere, and what browsers and Node share. */
const GLOBALS = new Set([
  ...Object.getOwnPropertyNames(globalThis).filter(
    (name) => /^[A-Z]\w*$/.test(name) && name !== 'Buffer' && name !== 'WebSocket',
  ),
  ...'undefined NaN Infinity globalThis isNaN isFinite parseInt parseFloat encodeURIComponent decodeURIComponent encodeURI decodeURI'.split(
    ' ',
  ),
  ...'console performance setTimeout clearTimeout setInterval clearInterval setImmediate queueMicrotask structuredClone arguments'.split(
    ' ',
  ),
]);

/**
 * @param notebook its file
 * @param out the folder of the pages: what their scripts load is put into its folder `assets`
 * @returns undefined where it has no live cell
 * @throws CliError that names the cell, and the name in it that a page can't have
 */
export async function livePage(notebook: string, out: string): Promise<LivePage | undefined> {
  const cells = codeCells(notebook);
  if (!cells.some(({ isLive }) => isLive)) return undefined;
  const page = new Compiler(notebook);
  for (const cell of cells) await page.add(cell);
  const script = `tslabLive.page(function(live){"use strict";${page.text()}});`;
  const small = await transform(script, { minifyWhitespace: true, minifySyntax: true, charset: 'utf8' });
  const engine = await kernel();
  return { cells: page.knobs, assets: [asset(out, 'live', engine), asset(out, 'live-cells', small.code)] };
}

/** Named by its content, so that a browser may keep it and pages of different ages stand side by side. */
function asset(out: string, name: string, content: string): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
  const path = `assets/${name}-${hash}.js`;
  mkdirSync(join(out, 'assets'), { recursive: true });
  writeFileSync(join(out, path), content);
  return path;
}

function codeCells(notebook: string): Cell[] {
  let cells: unknown;
  try {
    ({ cells } = JSON.parse(readFileSync(notebook, 'utf8')));
  } catch {
    return []; // export.py says what is wrong with it
  }
  if (!Array.isArray(cells)) return [];
  return cells
    .filter((cell) => cell?.cell_type === 'code')
    .map(({ id, source, metadata }, at) => ({
      id: String(id ?? `cell-${at + 1}`),
      number: at + 1,
      source: Array.isArray(source) ? source.join('') : String(source ?? ''),
      isLive: Array.isArray(metadata?.tags) && metadata.tags.includes('live'),
    }));
}

const KNOB = /^const\s+([A-Za-z_$][\w$]*)\s*=\s*(.+?)\s*;\s*(?:\/\/\s*(.*))?$/;

/** The lines `const workers = 2;   // try 1, 4, 16` at the top. */
export function knobsOf(source: string): Knob[] {
  const knobs: Knob[] = [];
  for (const line of source.split('\n')) {
    if (/^\s*$|^\s*\/\/|^import\b/.test(line)) continue;
    const [, name = '', text = '', comment = ''] = KNOB.exec(line.trim()) ?? [];
    const value = literal(text);
    if (!name || value === undefined) break;
    const tried = /\btry\s+(.*)$/.exec(comment)?.[1];
    if (tried === undefined) continue;
    const tries: (number | string | boolean)[] = [];
    for (const part of tried.split(/,|\bor\b|\band\b/)) {
      const one =
        literal(part.trim()) ??
        literal(/^(-?[\d_.]+|'[^']*'|"[^"]*"|true|false)/.exec(part.trim())?.[1] ?? '');
      if (one === undefined || typeof one !== typeof value) break;
      tries.push(one);
    }
    if (typeof value === 'boolean') tries.splice(0, tries.length, false, true);
    if (tries.length === 0) continue;
    knobs.push({ name, value, tries: [...new Set([value, ...tries])] });
  }
  return knobs;
}

function literal(text: string): number | string | boolean | undefined {
  if (/^-?(?:\d[\d_]*)?\.?\d[\d_]*(?:e[+-]?\d+)?$/i.test(text)) return Number(text.replaceAll('_', ''));
  if (text === 'true' || text === 'false') return text === 'true';
  const quoted = /^'([^'\\]*)'$|^"([^"\\]*)"$/.exec(text);
  return quoted ? (quoted[1] ?? quoted[2]) : undefined;
}

/** The functions and classes of a cell, and what each uses of its surroundings. */
class Functions extends Walk {
  readonly found: { node: FunctionNode | Class; outer: Scope; from: number; to: number }[] = [];
  readonly #open: { node: FunctionNode | Class | undefined; outer: Scope; from: number }[] = [];
  readonly program = scopeIn('program', undefined);

  constructor(tree: Program) {
    super();
    this.block(tree.body as AnyNode[], this.program);
    this.resolve();
  }

  protected override open(node: FunctionNode | Class | undefined, outer: Scope): void {
    this.#open.push({ node, outer, from: this.references.length });
  }

  protected override close(): void {
    const { node, outer, from } = this.#open.pop()!;
    // Those inside of another travel with it.
    if (node && this.#open.length === 0) this.found.push({ node, outer, from, to: this.references.length });
  }

  /** Names of the surroundings that are used between two places; those that are declared nowhere here, too. */
  outside(outer: Scope, from: number, to: number): { names: Set<string>; assigns: Set<string> } {
    const around = new Set<Scope>();
    for (let scope: Scope | undefined = outer; scope; scope = scope.parent) around.add(scope);
    const names = new Set<string>();
    const assigns = new Set<string>();
    for (const { name, scope, how, member } of this.references.slice(from, to)) {
      let at: Scope | undefined = scope;
      while (at && !at.names.has(name)) at = at.parent;
      if (at && !around.has(at)) continue;
      names.add(name);
      if (how === 'assign' && member === undefined) assigns.add(name);
    }
    return { names, assigns };
  }

  get free(): Set<string> {
    const free = this.references.filter(({ name, scope }) => !bindingOf(name, scope));
    return new Set(free.map(({ name }) => name));
  }
}

interface Edit {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

class Compiler {
  readonly knobs: Record<string, readonly Knob[]> = {};
  readonly #cells: string[] = [];
  readonly #factories: string[] = [];
  /** Who gives each name: the newest cell above. */
  readonly #givers = new Map<string, Cell>();
  /** Names that stand for something of the package, and what they are called there. */
  readonly #imports = new Map<string, string>();
  /** Names that stand for something of another package. */
  readonly #foreign = new Map<string, string>();
  readonly #used = new Map<string, string>();

  constructor(readonly notebook: string) {}

  text(): string {
    const api = [...this.#used]
      .map(([local, name]) => (local === name ? name : `${name}:${local}`))
      .join(',');
    return (
      `const{${api}}=live.api;` +
      `return{factories:[${this.#factories.join(',\n')}],cells:[${this.#cells.join(',\n')}]};`
    );
  }

  async add(cell: Cell): Promise<void> {
    const code = await this.#stripped(cell);
    if (code === undefined) return;
    const tree = parse(code, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowAwaitOutsideFunction: true,
    });
    this.#import(tree);
    const body = tree.body.filter(({ type }) => type !== 'ImportDeclaration');
    const functions = new Functions({ ...tree, body });
    const gives = [...functions.program.names.keys()];
    if (cell.isLive) this.#compile(cell, code, tree, functions, gives);
    for (const name of gives) {
      this.#givers.set(name, cell);
      this.#imports.delete(name);
      this.#foreign.delete(name);
    }
  }

  /** Without types; undefined for a cell that is not live and no TypeScript. */
  async #stripped(cell: Cell): Promise<string | undefined> {
    try {
      const { code } = await transform(cell.source, {
        loader: 'ts',
        target: 'es2022',
        charset: 'utf8',
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      });
      return code;
    } catch (error) {
      if (!cell.isLive) return undefined;
      throw this.#refusal(
        cell,
        `is no TypeScript that can be compiled: ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`,
      );
    }
  }

  #refusal({ id, number }: Cell, why: string): CliError {
    return new CliError(`${this.notebook}: code cell ${number} ("${id}") is tagged live and ${why}`);
  }

  #import(tree: Program): void {
    for (const node of tree.body) {
      if (node.type !== 'ImportDeclaration') continue;
      for (const one of node.specifiers) {
        const module = String(node.source.value);
        const isOurs = DOORS.includes(module) && one.type === 'ImportSpecifier';
        const imported =
          one.type === 'ImportSpecifier' && one.imported.type === 'Identifier' ? one.imported.name : '*';
        this.#givers.delete(one.local.name);
        this.#imports.delete(one.local.name);
        this.#foreign.delete(one.local.name);
        if (isOurs) this.#imports.set(one.local.name, imported);
        else this.#foreign.set(one.local.name, module);
      }
    }
  }

  #compile(cell: Cell, code: string, tree: Program, functions: Functions, gives: readonly string[]): void {
    const knobs = knobsOf(cell.source);
    this.knobs[cell.id] = knobs;
    const uses: string[] = [];
    for (const name of functions.free) if (this.#isValueOfCell(cell, name)) uses.push(name);
    this.#refuseBackends(cell, tree);
    const edits: Edit[] = [];
    for (const node of tree.body) {
      if (node.type === 'ImportDeclaration') edits.push({ at: node.start, end: node.end, text: '' });
      if (node.type === 'VariableDeclaration') {
        for (const { id, init } of node.declarations) {
          const knob = id.type === 'Identifier' && init && knobs.find(({ name }) => name === id.name);
          if (knob) edits.push({ at: init.start, end: init.end, text: `$k.${knob.name}` });
        }
      }
    }
    const last = tree.body.at(-1);
    if (last?.type === 'ExpressionStatement') {
      edits.push({ at: last.start, end: last.start, text: '$last=(' });
      edits.push({ at: last.expression.end, end: last.end, text: ');' });
    }
    const parents = parentsOf(tree);
    for (const { node, outer, from, to } of functions.found) {
      const { names, assigns } = functions.outside(outer, from, to);
      edits.push(
        ...this.#factory(
          code,
          node,
          parents.get(node as AnyNode),
          [...names].filter((name) => this.#isCaptured(name)),
          [...assigns],
        ),
      );
    }
    const given = gives.map((name) => `$.${name}=${name};`).join('');
    const taken = uses.length > 0 ? `const{${uses.join(',')}}=$;` : '';
    this.#cells.push(
      `{id:${JSON.stringify(cell.id)},uses:${JSON.stringify(uses)},gives:${JSON.stringify(gives)},` +
        `async run($,$k){${taken}let $last;${edited(code, edits)};${given}return $last}}`,
    );
  }

  /** Whether a name that a cell doesn't declare comes from a live cell above. */
  #isValueOfCell(cell: Cell, name: string): boolean {
    const giver = this.#givers.get(name);
    if (giver?.isLive) return true;
    if (giver) {
      throw this.#refusal(
        cell,
        `uses "${name}" of code cell ${giver.number} ("${giver.id}"), which is not: tag that one live, too, or write it here.`,
      );
    }
    const imported = this.#imports.get(name);
    if (imported !== undefined) {
      if (!OFFERED.has(imported))
        throw this.#refusal(
          cell,
          `uses "${imported}", which a page doesn't have; it has ${[...OFFERED].sort().join(', ')}.`,
        );
      this.#used.set(name, imported);
      return false;
    }
    const module = this.#foreign.get(name);
    if (module !== undefined)
      throw this.#refusal(
        cell,
        `uses "${name}" of "${module}", which a page doesn't have: a live cell uses only TypeScript, tslab-parallel and live cells above it.`,
      );
    if (!GLOBALS.has(name))
      throw this.#refusal(
        cell,
        `uses "${name}", which is Node's, or nobody's: a live cell uses only TypeScript, tslab-parallel and live cells above it.`,
      );
    return false;
  }

  #isCaptured(name: string): boolean {
    return !GLOBALS.has(name) && !this.#imports.has(name);
  }

  /** Processes and clusters are no browser's. */
  #refuseBackends(cell: Cell, tree: Program): void {
    for (const [node, parent] of parentsOf(tree)) {
      if (node.type !== 'Literal' || (node.value !== 'process' && node.value !== 'cluster')) continue;
      for (
        let at: AnyNode | undefined = parent, inner: AnyNode = node;
        at;
        inner = at, at = parentsOf(tree).get(at)
      ) {
        if (at.type !== 'CallExpression' || at.callee.type !== 'Identifier') continue;
        if (
          ['createPool', 'runOn'].includes(this.#imports.get(at.callee.name) ?? '') &&
          at.arguments[0] === inner
        )
          throw this.#refusal(
            cell,
            `runs on "${node.value}", which needs Node: a page has "serial", "async" and "thread".`,
          );
      }
    }
  }

  #factory(
    code: string,
    node: FunctionNode | Class,
    parent: AnyNode | undefined,
    captured: readonly string[],
    assigns: readonly string[],
  ): Edit[] {
    // A method belongs to its object.
    if (
      parent?.type === 'MethodDefinition' ||
      (parent?.type === 'Property' && (parent.method || parent.kind !== 'init'))
    )
      return [];
    const own = node.id?.name;
    const names = captured.filter((name) => name !== own);
    const number = this.#factories.length;
    const set = names.map((name) => `${name}=$v.${name}`).join(',');
    this.#factories.push(
      `()=>{${names.length > 0 ? `let ${names.join(',')};` : ''}const fn=(${code.slice(node.start, node.end)});return{fn,set($v){${set}}}}`,
    );
    const lost = assigns.filter((name) => names.includes(name));
    const note = (fn: string, name = '') =>
      `live.originates(${number},()=>({${names.join(',')}}),${fn},${JSON.stringify(name)}${lost.length > 0 ? `,${JSON.stringify(lost)}` : ''})`;
    if (node.type === 'FunctionDeclaration')
      return [{ at: node.start, end: node.start, text: `${note(own!)};` }];
    if (node.type === 'ClassDeclaration') return [{ at: node.end, end: node.end, text: `;${note(own!)};` }];
    const [before = '', after = ''] = note('\0', nameFor(node, parent)).split('\0');
    return [
      { at: node.start, end: node.start, text: before },
      { at: node.end, end: node.end, text: after },
    ];
  }
}

/** The name that JavaScript gives to a function without one. */
function nameFor(node: Node, parent: AnyNode | undefined): string {
  if (parent?.type === 'VariableDeclarator' && parent.init === node && parent.id.type === 'Identifier')
    return parent.id.name;
  if (parent?.type === 'Property' && parent.key.type === 'Identifier' && !parent.computed)
    return parent.key.name;
  return '';
}

const parents = new WeakMap<Program, Map<AnyNode, AnyNode>>();

function parentsOf(tree: Program): Map<AnyNode, AnyNode> {
  const known = parents.get(tree);
  if (known) return known;
  const found = new Map<AnyNode, AnyNode>();
  const walk = (node: AnyNode) => {
    for (const child of Object.values(node).flat()) {
      if (typeof child !== 'object' || child === null || typeof child.type !== 'string') continue;
      found.set(child, node);
      walk(child);
    }
  };
  walk(tree);
  parents.set(tree, found);
  return found;
}

function edited(code: string, edits: readonly Edit[]): string {
  let text = '';
  let at = 0;
  const inOrder = edits
    .map((edit, number) => ({ ...edit, number }))
    .sort((a, b) => a.at - b.at || a.number - b.number);
  for (const edit of inOrder) {
    text += code.slice(at, edit.at) + edit.text;
    at = Math.max(at, edit.end);
  }
  return text + code.slice(at);
}

const dist = join(__dirname, '..');

/** Files of the helper that a browser has in another way. */
const INSTEAD: Readonly<Record<string, string>> = {
  'helper/notebook/index.js': 'live/notebook.js',
  'helper/notebook/display.js': 'live/display.js',
  'helper/pool/pool.js': 'live/pool.js',
  'helper/pool/cores.js': 'live/cores.js',
  'helper/record/clock.js': 'live/clock.js',
};

const browser: Plugin = {
  name: 'browser',
  setup(builds) {
    builds.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, importer }) => {
      const base = join(resolveDir, path);
      for (const [file, other] of Object.entries(INSTEAD)) {
        const isIt = [`${base}.js`, join(base, 'index.js')].includes(join(dist, file));
        if (isIt && importer !== join(dist, other)) return { path: join(dist, other) };
      }
      return undefined;
    });
    builds.onResolve({ filter: /^node:/ }, () => ({ path: join(dist, 'live', 'node.js') }));
    builds.onResolve({ filter: /^vega$/ }, () => ({ path: join(dist, 'live', 'vega.js') }));
    builds.onResolve({ filter: /^vega(-itself|-lite)$/ }, ({ path }) => {
      const name = path === 'vega-lite' ? path : 'vega';
      return { path: require.resolve(`${name}/build/${name}.min.js`) };
    });
    // vega-lite's and the interpreter's own.
    builds.onResolve({ filter: /^vega-interpreter$/ }, ({ path }) => ({ path: require.resolve(path) }));
  },
};

let bundled: Promise<string> | undefined;

/** The kernel as a function's text (Web Workers are made of it, also from disk), and the page's own part, which runs at once. */
function kernel(): Promise<string> {
  bundled ??= (async () => {
    const [inWorker, inPage] = await Promise.all([bundle('kernel'), bundle('page')]);
    return `globalThis.tslabLiveKernel=function(){${inWorker};globalThis.tslabKernel=tslabKernel};{${inPage}}`;
  })();
  return bundled;
}

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(dist, 'live', `${name}.js`)],
    bundle: true,
    write: false,
    minify: true,
    charset: 'utf8',
    logLevel: 'silent',
    legalComments: 'none',
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    plugins: [browser],
    define: { __dirname: '"tslab-parallel"' },
    globalName: 'tslabKernel',
  });
  return outputFiles[0]!.text.replaceAll('</script', '<\\/script');
}
