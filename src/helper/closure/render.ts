/** Puts a function's text into a program that the other side only has to evaluate. */
import type { Edit, Source } from './source';

export interface Rendering {
  readonly source: Source;
  /** Variables that get values, in their order. */
  readonly names: readonly string[];
  readonly isStrict: boolean;
}

/**
 * The program is a function of one object of tools `t`: it puts `t.set(values)` there, which gives the variables their
 * values later on (they may lead back to the function itself), and returns the function.
 */
export function render({ source, names, isStrict }: Rendering): string {
  const taken = new Set(names);
  const fresh = (wish: string) => {
    let name = wish;
    while (taken.has(name) || source.text.includes(name)) name += '_';
    return name;
  };
  const t = fresh('$t');
  const values = fresh('$v');
  // Where its own name is a variable of its surroundings, the function must not bind it once more.
  const { ownName, ownNameAt: start } = source;
  const own: Edit[] =
    ownName !== undefined && taken.has(ownName)
      ? [{ start, end: start + ownName.length, put: 'nothing' }]
      : [];
  const text = edited(source.text, [...own, ...source.edits], t, values);
  let body: string;
  switch (source.shape) {
    case 'method':
    case 'accessor':
      body = `${t}.method({${text}\n})`;
      break;
    default:
      body = `(${text}\n)`;
  }
  const variables = names.filter((name) => name !== 'arguments');
  if (source.usesArguments) body = `(function(){return ${body}}).apply(void 0,${t}.args)`;
  const declare = variables.length > 0 ? `var ${variables.join(',')};` : '';
  const assign = variables.map((name, at) => `${name}=${values}[${at}];`).join('');
  // All on the first line, so that lines in a trace are lines of the function.
  return `(function(${t}){${isStrict ? '"use strict";' : ''}${declare}${t}.set=function(${values}){${assign}};return ${body}})`;
}

function edited(text: string, edits: readonly Edit[], t: string, values: string): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start);
    const was = text.slice(edit.start, edit.end);
    switch (edit.put) {
      case 'parent':
        result += `${t}.parent`;
        break;
      case 'import':
        result += `${t}.import`;
        break;
      case 'key':
        result += `${t}.keys[${edit.index}]`;
        break;
      case 'field':
        result += `;static ${edit.name};`;
        break;
      case 'privates': {
        const assign = edit.names.map((name, i) => `this.${name}=${values}[${i}];`).join('');
        result += `;static{${t}.setPrivates=(${values})=>{${assign}}}`;
        break;
      }
      case 'name':
        result += '"computed"';
        break;
      case 'semicolon':
        // The element before may end without one, and what follows would go on with it.
        result += ';';
        break;
      case 'nothing':
        break;
    }
    // The lines below keep their numbers.
    result += '\n'.repeat(was.split('\n').length - 1);
    at = edit.end;
  }
  return result + text.slice(at);
}
