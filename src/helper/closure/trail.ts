import { CaptureError } from './error';
import { lineOf } from './lines';
import type { Location } from './script';

/** How a value was reached. */
export interface Step {
  /** Index of the value it was found in; -1 for the first. */
  readonly from: number;
  readonly label: string;
  /** `internal` steps (a class's parent, an object's prototype) are not part of the path a reader is shown. */
  readonly how: 'root' | 'variable' | 'property' | 'element' | 'internal';
  /** Place in the text of the function it was found in. */
  readonly at?: number;
}

/** How messages call the first value; or, given the way on from it (`[3].socket`), what is found there. */
export type Naming = string | ((way: string) => string);

interface TrailOptions {
  readonly target: string;
  readonly name: Naming;
  readonly isBack?: boolean;
}

const toText = Function.prototype.toString;

/** The ways from the first value to all others, for messages that say where something was found. */
export class Trail {
  readonly values: unknown[] = [];
  readonly #steps: Step[] = [];
  readonly #locations = new Map<number, Location>();
  readonly #options: TrailOptions;

  constructor(options: TrailOptions) {
    this.#options = options;
  }

  add(value: unknown, step: Step): void {
    this.values.push(value);
    this.#steps.push(step);
  }

  /** Where the function at this index was written. */
  locate(at: number, location: Location): void {
    this.#locations.set(at, location);
  }

  step(at: number): Step {
    return this.#steps[at]!;
  }

  /** The value at this index can't go. `what`: "a Socket". */
  refuse(at: number, what: string, instead: string): never {
    const { target, isBack } = this.#options;
    const path = this.#path(at);
    const isFunction = path.length > 1 || typeof this.values[at] === 'function';
    const way = isBack
      ? `come back from a ${target}`
      : isFunction
        ? `run on a ${target}`
        : `go to a ${target}`;
    const why = path.length > 1 ? `uses \`${path.at(-1)}\` (${path.join(' → ')}), ${what}` : `is ${what}`;
    const advice = isBack ? 'Return what you need of it, as plain data' : instead;
    throw new CaptureError(
      `\`${path[0]}\` can't ${way}: it ${why}, which can't leave ${isBack ? 'its worker' : 'this process'}. ${advice}.${this.#line(at)}`,
    );
  }

  /** Something in the text of the function at this index can't go. `what`: "assigns to `count`". */
  refuseIn(at: number, position: number, what: string, instead: string): never {
    const path = this.#path(at);
    const whose = path.length > 1 ? `\`${path.at(-1)}\` (${path.join(' → ')})` : 'it';
    throw new CaptureError(
      `\`${path[0]}\` can't run on a ${this.#options.target}: ${whose} ${what}. ${instead}.${this.#lineIn(at, position)}`,
    );
  }

  /** Names of variables from the first function on, each with the properties behind it. */
  #path(at: number): string[] {
    const path: string[] = [];
    let rest = '';
    for (let i = at; i >= 0; i = this.#steps[i]!.from) {
      const { label, how } = this.#steps[i]!;
      if (how === 'property') rest = (isName(label) ? `.${label}` : `[${JSON.stringify(label)}]`) + rest;
      else if (how === 'element') rest = label + rest;
      else if (how !== 'internal') {
        path.unshift(short(how === 'root' ? this.#root(rest) : label + rest));
        rest = '';
      }
    }
    return path;
  }

  #root(way: string): string {
    const { name } = this.#options;
    return typeof name === 'function' ? name(way) : name + way;
  }

  #line(at: number): string {
    for (let i = at; i >= 0; i = this.#steps[i]!.from) {
      const { from, at: position } = this.#steps[i]!;
      if (position !== undefined && from >= 0) return this.#lineIn(from, position);
    }
    return '';
  }

  #lineIn(at: number, position: number): string {
    const value = this.values[at];
    if (typeof value !== 'function') return '';
    const name = this.#path(at).at(-1)!;
    const { where, code } = lineOf(name, toText.call(value), position, this.#locations.get(at));
    return `\n  ${where}: ${code}`;
  }
}

/** The way into a very deep value, with its middle left out. */
function short(way: string): string {
  return way.length > 200 ? `${way.slice(0, 90)} … ${way.slice(-90)}` : way;
}

function isName(label: string): boolean {
  return /^#?[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(label);
}
