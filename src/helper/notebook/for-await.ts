import type * as TypeScript from 'typescript';

/**
 * tslab lets a cell wait when it sees an `await` outside of functions, but does not look for `for await`: a cell with
 * nothing else to wait for is a syntax error there. With this it has something.
 * @param source what the reader wrote
 * @returns the same lines; the first loop's iterable begins with an `await` where that is missing
 */
export function withAwait(source: string): string {
  if (!/\bfor\s+await\b/.test(source)) return source;
  const ts = typeScript();
  if (!ts) return source;
  let loop: TypeScript.ForOfStatement | undefined;
  let waits = false;
  const look = (node: TypeScript.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isAwaitExpression(node)) waits = true;
    if (ts.isForOfStatement(node) && node.awaitModifier) loop ??= node;
    ts.forEachChild(node, look);
  };
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.Latest);
  look(file);
  if (!loop || waits) return source;
  const [start, end] = [loop.expression.getStart(file), loop.expression.end];
  return `${source.slice(0, start)}(await null, ${source.slice(start, end)})${source.slice(end)}`;
}

/** tslab's own, which is loaded already. */
function typeScript(): typeof TypeScript | undefined {
  const loaded = Object.entries(require.cache).find(([file]) =>
    /[\\/]typescript-for-tslab[\\/]lib[\\/]typescript\.js$/.test(file),
  );
  return loaded?.[1]?.exports as typeof TypeScript | undefined;
}
