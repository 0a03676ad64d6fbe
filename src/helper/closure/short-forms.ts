/**
 * tslab writes a name of an earlier cell as `exports.name`, but not where it is the short form of a property:
 * `{ workers }` then fails with "workers is not defined". Here it becomes `{ workers: exports.workers }`.
 */
import type { AnyNode } from 'acorn';
import { acorn } from './lazy';
import { bindingOf, type Scope, scopeIn, Walk } from './walk';

class ShortForms extends Walk {
  readonly #found: { name: string; end: number; scope: Scope }[] = [];

  constructor(program: string) {
    super();
    const { body } = acorn().parse(program, { ecmaVersion: 'latest', sourceType: 'script' });
    this.block(body, scopeIn('program', undefined));
  }

  protected override enter(node: AnyNode, scope: Scope): boolean {
    if (node.type !== 'ObjectExpression') return false;
    for (const property of node.properties) {
      if (property.type === 'Property' && property.shorthand && property.key.type === 'Identifier')
        this.#found.push({ name: property.key.name, end: property.end, scope });
    }
    return false;
  }

  /** Those that nothing in the program declares, last one first. */
  get free(): { name: string; end: number }[] {
    return this.#found.filter(({ name, scope }) => !bindingOf(name, scope)).sort((a, b) => b.end - a.end);
  }
}

/**
 * @param program of a cell, as tslab compiled it
 * @param isEarlier tells a name of an earlier cell
 */
export function withLongForms(program: string, isEarlier: (name: string) => boolean): string {
  // Reading a program costs more than looking whether it may have one.
  const names = program.matchAll(/(?<=[{,]\s*)[\p{ID_Start}$_][\p{ID_Continue}$]*(?=\s*[,}])/gu);
  if (![...names].some(([name]) => isEarlier(name))) return program;
  let long = program;
  try {
    for (const { name, end } of new ShortForms(program).free) {
      if (isEarlier(name)) long = `${long.slice(0, end)}: exports.${name}${long.slice(end)}`;
    }
  } catch {
    return program; // not to be read: Node will say what is wrong with it
  }
  return long;
}
