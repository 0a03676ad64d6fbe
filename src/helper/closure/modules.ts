/**
 * Which values belong to imported modules: they are imported again where the function runs, never copied.
 */
import { readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { types } from 'node:util';

/** A module, or one thing it exports; `specifier` is resolved from the notebook's folder. */
export interface Origin {
  readonly specifier: string;
  readonly name?: string;
}

type Exports = Record<string, unknown>;

const builtinIds = new Set(builtinModules);
/** Modules by their exports: a file's path, or a builtin's name. */
const modules = new WeakMap<object, string>();
/** What modules export, with the module's exports and the name. */
const exported = new WeakMap<object, { readonly exports: Exports; readonly name: string }>();
const filesSeen = new Set<string>();
let keysSeen = 0;
let builtinsSeen = 0;
/** Builtin modules that have been loaded, so that looking through them loads none. */
const builtins = new Set<string>();

const requireHere = createRequire(__filename);

/** Brings the tables up to what has been loaded by now. */
export function refreshModules(): void {
  const { cache } = requireHere;
  const files = Object.keys(cache);
  if (files.length !== keysSeen) {
    keysSeen = files.length;
    for (const file of files) {
      if (filesSeen.has(file)) continue;
      const module = cache[file]!;
      // The program itself is no module to import: that would run it again.
      if (module === requireHere.main) filesSeen.add(file);
      else if (module.loaded) {
        filesSeen.add(file);
        add(module.exports, file);
      } else keysSeen = -1;
    }
  }
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] };
  const loaded = moduleLoadList?.length ?? 0;
  if (loaded === builtinsSeen && builtins.size > 0) return;
  builtinsSeen = loaded;
  const internal = new Set(moduleLoadList);
  for (const id of builtinModules) {
    // The excepted ones print a warning when they are loaded.
    if (builtins.has(id) || /^(?:_.*|punycode|sys|wasi|node:.*)$/.test(id)) continue;
    if (moduleLoadList && !internal.has(`NativeModule ${id}`)) continue;
    builtins.add(id);
    add(requireHere(id), id);
  }
}

function add(exports: unknown, module: string): void {
  if (!isObject(exports) || types.isProxy(exports)) return;
  if (!modules.has(exports) || builtinIds.has(module)) modules.set(exports, module);
  for (const name of Object.keys(exports)) {
    const value = exportOf(exports as Exports, name);
    if (isObject(value) && !exported.has(value)) exported.set(value, { exports: exports as Exports, name });
  }
}

/** The export's value; undefined for getters that may do who knows what. TypeScript's re-exports are harmless ones. */
function exportOf(exports: Exports, name: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(exports, name);
  if (!descriptor?.get) return descriptor?.value;
  if (!Object.hasOwn(exports, '__esModule')) return undefined;
  try {
    return exports[name];
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The module whose exports this object is, as a whole. */
export function moduleOf(value: object, base: string): string | undefined {
  const module = modules.get(value);
  if (module === undefined || builtinIds.has(module)) return module;
  // It may have been loaded again since, or removed.
  return requireHere.cache[module]?.exports === value ? specifierOf(module, base) : undefined;
}

/** The module that exports this function, class or object, and its name there. */
export function exporterOf(value: object, base: string): Origin | undefined {
  const found = exported.get(value);
  if (!found || exportOf(found.exports, found.name) !== value) return undefined;
  const specifier = moduleOf(found.exports, base);
  return specifier === undefined ? undefined : { specifier, name: found.name };
}

const specifiers = new Map<string, string>();

/** How a notebook in `base` would import the file. */
function specifierOf(file: string, base: string): string {
  const key = `${base}\0${file}`;
  let specifier = specifiers.get(key);
  if (specifier === undefined) {
    specifier = fromPackage(file, base) ?? fromFolder(file, base);
    specifiers.set(key, specifier);
  }
  return specifier;
}

function fromPackage(file: string, base: string): string | undefined {
  const parts = file.split(sep);
  const at = parts.lastIndexOf('node_modules');
  let name: string;
  let rest: string;
  let root: string;
  if (at >= 0 && at < parts.length - 1) {
    const depth = parts[at + 1]!.startsWith('@') ? 3 : 2;
    root = parts.slice(0, at + depth).join(sep);
    name = parts.slice(at + 1, at + depth).join('/');
  } else {
    // A workspace's package is linked into node_modules, and its files have their real path.
    const own = packageAround(dirname(file));
    if (!own) return undefined;
    [root, name] = own;
  }
  rest = file
    .slice(root.length + 1)
    .split(sep)
    .join('/');
  const require = createRequire(join(base, 'notebook.js'));
  for (const specifier of [name, `${name}/${rest.replace(/\.[cm]?js$/, '')}`, `${name}/${rest}`]) {
    try {
      if (require.resolve(specifier) === file) return specifier;
    } catch {
      // Not reachable under this name.
    }
  }
  return undefined;
}

function packageAround(folder: string): [root: string, name: string] | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { name } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { name?: unknown };
      if (typeof name === 'string') return [at, name];
    } catch {
      // Look further up.
    }
    if (dirname(at) === at) return undefined;
  }
}

function fromFolder(file: string, base: string): string {
  const path = relative(base, file);
  if (isAbsolute(path)) return file;
  const posix = path.split(sep).join('/');
  return posix.startsWith('.') ? posix : `./${posix}`;
}
