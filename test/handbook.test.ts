/** What the notebooks must be before any of them runs: complete, in order, each section on its own feet. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import ts from 'typescript';
import { root } from './harness/kernel';
import {
  type Notebook,
  notebooks as paths,
  readNotebook,
  type Section,
  wholeSection,
} from './harness/notebook';

const folder = join(root, 'notebooks');
const notebooks = paths.map(readNotebook);

/** A document as SECTIONS.md lists it. */
interface Document {
  title: string;
  file: string;
  sources: string[];
  rows: { heading: string; notebook: string; cells: string[] }[];
}

const documents = readFileSync(join(folder, 'SECTIONS.md'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map(
    (part): Document => ({
      title: part.split('\n', 1)[0]!,
      file: /^`(.+?\.txt)`/m.exec(part)?.[1] ?? '',
      sources: [...part.matchAll(/^- <(.+)>$/gm)].map(([, url]) => url!),
      rows: [...part.matchAll(/^\| 「(.+)」 \| \[(.+?)\]\(\2\) \|(.*)\|$/gm)].map(
        ([, heading, notebook, cells]) => ({
          heading: heading!,
          notebook: notebook!,
          cells: cells!
            .split(',')
            .map((id) => id.trim())
            .filter(Boolean),
        }),
      ),
    }),
  );

test('SECTIONS.md can be read: five documents, each with its file and its sections', () => {
  assert.equal(documents.length, 5);
  for (const { title, file, rows } of documents) assert.ok(file && rows.length > 0, title);
});

for (const { title, file, sources, rows } of documents) {
  suite(title, () => {
    const notebook = notebooks.find(({ name }) => name === rows[0]?.notebook);
    const all = notebook?.all ?? [];

    test('every section of it has cells, and they exist', () => {
      const ids = new Set(all.map(({ id }) => id));
      const missing = rows.flatMap((row) => [
        ...(row.notebook === notebook?.name ? [] : [`「${row.heading}」: ${row.notebook} is not there`]),
        ...(row.cells.length > 0 ? [] : [`「${row.heading}」 has no cells`]),
        ...row.cells
          .filter((id) => !ids.has(id))
          .map((id) => `「${row.heading}」: no cell is called ${id} in ${row.notebook}`),
      ]);
      assert.deepEqual(missing, []);
    });

    test('every section that the notebook names is in the table', () => {
      const known = new Set(rows.map(({ heading }) => heading));
      const named = all
        .filter(({ type }) => type === 'markdown')
        // A line of its own, with one or several.
        .flatMap(({ source }) => source.split('\n').filter((line) => /^「.+」$/.test(line)))
        .flatMap((line) => [...line.matchAll(/「([^」]+)」/g)].map(([, heading]) => heading!));
      assert.ok(named.length > 0, 'no section is named');
      assert.deepEqual(
        named.filter((heading) => !known.has(heading)),
        [],
      );
    });

    test('the first cell names the document, the last one its file and its sources', () => {
      assert.match(all[0]?.source ?? '', /^# .*\n+「.+」$/m);
      const last = all.at(-1);
      assert.equal(last?.type, 'markdown');
      assert.deepEqual(
        [file, ...sources].filter((name) => !last.source.includes(name)),
        [],
        'not named',
      );
    });
  });
}

for (const notebook of notebooks) {
  suite(notebook.name, () => {
    test('every cell has an id of its own', () => {
      const ids = notebook.all.map(({ id }) => id);
      assert.deepEqual(
        ids.filter((id, index) => !id || ids.indexOf(id) !== index),
        [],
      );
    });
  });
}

test('a section needs only the first cell of its notebook', () => {
  assert.deepEqual(notebooks.flatMap(missingNames), []);
});

test('… and that would be found', () => {
  const [notebook] = notebooks;
  const cell = (id: string, source: string) => ({ ...notebook!.cells[0]!, id, source });
  const section = (heading: string, ...sources: string[]): Section => ({
    level: 2,
    heading,
    document: '',
    cells: sources.map((source, index) => cell(`${heading}-${index}`, source)),
  });
  const first = cell('first', "import { cpus } from 'node:os';\nconst cores = cpus().length;");
  const sections = [
    section(
      'one',
      'const workers = 2;\nawait Promise.resolve(workers + cores);',
      'const workers = 3;\nworkers',
    ),
    section('two', 'console.log(workers);'),
    section('three', 'console.log(later);', 'const later = 1;'),
  ];
  const cells = [first, ...sections.flatMap((each) => each.cells)];
  assert.deepEqual(missingNames({ ...notebook!, name: 'x.ipynb', cells, sections }), [
    "x.ipynb, two-0: Cannot find name 'workers'.",
    "x.ipynb, three-0: Block-scoped variable 'later' used before its declaration.",
  ]);
});

test('no claim stands twice, and each is a plain string, so that its section is found', () => {
  const statements = notebooks.flatMap(({ cells }) =>
    cells.flatMap(({ source }) => [...source.matchAll(/(?<![.\w])claim\(\s*(.*?),?$/gm)].map(([, s]) => s!)),
  );
  assert.deepEqual(
    statements.filter((statement) => !/^(['"`])(?:(?!\1|\$\{)(?:\\.|[^\\]))+\1/.test(statement)),
    [],
  );
  assert.deepEqual(
    statements.filter((statement, index) => statements.indexOf(statement) !== index),
    [],
  );
});

/** Compiles the first cell with those of each section, as if no other cell had ever run. */
function missingNames({ name, cells, sections }: Notebook): string[] {
  const [first] = cells;
  const programs = new Map<string, { text: string; at: { id: string; line: number }[] }>();
  for (const [index, section] of sections.entries()) {
    if (section.level > 2) continue; // a part of the one above
    const own = wholeSection(sections, index).filter((cell) => cell !== first);
    if (own.length === 0) continue;
    let text = '';
    const at = [first!, ...own].map(({ id, source }) => {
      const line = text.split('\n').length - 1;
      text += `${source}\n;\n`;
      return { id, line };
    });
    programs.set(join(folder, `${index}.ts`), { text: `${text}export {};\n`, at });
  }
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'], // as in a cell: none of a browser's globals, such as `name`
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    esModuleInterop: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) => {
    const known = programs.get(file)?.text ?? libraries.get(file);
    if (typeof known === 'object') return known;
    const source =
      known === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, known, rest[0]);
    if (known === undefined && source) libraries.set(file, source);
    return source;
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  return [...programs].flatMap(([file, { at }]) => {
    const source = program.getSourceFile(file)!;
    return program
      .getSemanticDiagnostics(source)
      .filter(({ code }) => NOT_FOUND.has(code))
      .map(({ start, messageText }) => {
        const { line } = source.getLineAndCharacterOfPosition(start!);
        const cell = at.filter((each) => each.line <= line).at(-1);
        return `${name}, ${cell?.id}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      });
  });
}

/** TypeScript's own declarations and the packages', read once for all notebooks. */
const libraries = new Map<string, ts.SourceFile>();

/** "Cannot find name", its variants with advice, and "used before its declaration". */
const NOT_FOUND = new Set([2304, 2448, 2552, 2580, 2581, 2582, 2583, 2584, 2591, 2592, 2593]);
