import { inspect } from 'node:util';
import { type Bundle, display, inspectAs, quiet } from '../notebook';
import { type ChartFunction, named, refusal } from './record';
import { renderSVG } from './svg';
import { wrap } from './text-width';
import { config, LABEL_SIZE, PALETTE, TITLE_SIZE, WIDTH } from './theme';

/** A picture. As a cell's last expression it shows itself. */
export interface Chart {
  /** Vega-Lite 5, with its data inside. */
  readonly spec: object;
  /** The picture in words, made from the data: the alternative text. */
  readonly description: string;
  /** The picture for a page or a file: no background, text colour `--chart-text` if the page sets it. */
  toSVG(): Promise<string>;
  /** Shows the chart in mid-cell; outside a notebook, prints its description. */
  show(): Promise<void>;
}

/** What every chart takes. */
export interface ChartOptions {
  /** Default: what the chart shows, in a few words. */
  title?: string;
  /** Default: the figures. */
  subtitle?: string;
  /** Of the whole picture with its labels, in pixels, at least 200; default 600. */
  width?: number;
  /** Of the drawing without its title, in pixels, at least 40; default: what the data need. */
  height?: number;
  /** CSS colours, used in turn; default: Okabe and Ito's, which colour-blind people can tell apart. */
  palette?: readonly string[];
  /**
   * A partial Vega-Lite 5 spec, merged over ours: objects field by field, anything else replaced, `undefined` removes.
   * For instance `{ encoding: { x: { scale: { type: 'log' } } } }`.
   */
  spec?: object;
}

/**
 * @param chart the chart, for the error
 * @param own options that this chart takes beside the common ones: name to what is expected and a test of it
 * @throws TypeError that names the option, what was expected and what came.
 */
export function checkOptions(
  chart: ChartFunction,
  options: unknown,
  own: Readonly<Record<string, Expected>> = {},
): void {
  if (!isPlain(options)) {
    throw refusal(
      chart,
      `${chart.name}()'s options are an object such as { width: 800 }; got ${named(options)}.`,
    );
  }
  const known: Readonly<Record<string, Expected>> = { ...own, ...COMMON };
  for (const [name, value] of Object.entries(options)) {
    const expected = known[name];
    if (!expected) {
      const names = Object.keys(known).join(', ');
      throw refusal(chart, `${chart.name}() has no option ${JSON.stringify(name)}; it has ${names}.`);
    }
    if (value !== undefined && !expected.test(value)) {
      throw refusal(chart, `${chart.name}()'s ${name} is ${expected.words}; got ${named(value)}.`);
    }
  }
}

/** What an option must be, in words and as a test. */
export interface Expected {
  readonly words: string;
  test(value: unknown): boolean;
}

const STRING: Expected = { words: 'a string', test: (value) => typeof value === 'string' };

const COMMON: Readonly<Record<keyof ChartOptions, Expected>> = {
  title: STRING,
  subtitle: STRING,
  width: { words: 'a number of pixels from 200 to 10,000', test: (value) => isPixels(value, 200) },
  height: { words: 'a number of pixels from 40 to 10,000', test: (value) => isPixels(value, 40) },
  palette: {
    words: 'a list of one or more CSS colours',
    test: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((color) => typeof color === 'string' && color !== ''),
  },
  spec: { words: 'a partial Vega-Lite spec, an object', test: isPlain },
};

function isPixels(value: unknown, least: number): boolean {
  return typeof value === 'number' && value >= least && value <= 10_000;
}

/** What a chart's file makes; the rest (schema, title, size, looks, merging) is the same for all. */
export interface Drawing {
  title: string;
  subtitle: string;
  description: string;
  /** Pixels, for a chart that knows it; a chart of steps has them in its spec. */
  height: number;
  /** Layers or a mark with its encodings, data, params. */
  spec: object;
}

/** Makes a chart of a drawing. */
export function createChart(drawing: Drawing, options: ChartOptions): Chart {
  const width = options.width ?? WIDTH;
  const description = drawing.description;
  const title = options.title ?? drawing.title;
  const subtitle = options.subtitle ?? drawing.subtitle;
  const spec = merge(
    {
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      description,
      title: {
        text: wrap(title, width - 10, TITLE_SIZE, true),
        ...(subtitle ? { subtitle: wrap(subtitle, width - 10, LABEL_SIZE) } : {}),
      },
      width,
      height: options.height ?? drawing.height,
      // The width asked for is the whole picture's, however long the labels are.
      autosize: { type: 'fit-x', contains: 'padding' },
      ...drawing.spec,
      config,
    },
    options.spec ?? {},
  ) as object;
  return new VegaChart(spec, description);
}

/** Of a spec that has one of these, at the top or in its encoding, the width is each part's own affair. */
const COMPOSED = ['concat', 'hconcat', 'vconcat', 'facet', 'repeat', 'row', 'column'];

/** Makes a chart of a whole spec that somebody else wrote. What it leaves open looks as our own charts do. */
export function createShown(given: object): Chart {
  const keys = { ...given, ...(given as { encoding?: object }).encoding };
  const size = COMPOSED.some((key) => key in keys)
    ? {}
    : { width: WIDTH, autosize: { type: 'fit-x', contains: 'padding' } };
  const house = { ...size, config: { ...config, mark: { color: PALETTE[0] }, range: { category: PALETTE } } };
  const spec = merge(house, given) as object;
  const { description, title } = spec as { description?: unknown; title?: unknown };
  const text = isPlain(title) ? title.text : title;
  const words = [description, Array.isArray(text) ? text.join(' ') : text].find(
    (candidate) => typeof candidate === 'string' && candidate !== '',
  );
  return new VegaChart(spec, (words as string | undefined) ?? 'A Vega-Lite chart.');
}

class VegaChart implements Chart {
  readonly spec: object;
  readonly description: string;
  #svg: string | undefined;

  constructor(spec: object, description: string) {
    this.spec = spec;
    this.description = description;
  }

  async toSVG(): Promise<string> {
    return this.#draw();
  }

  show(): Promise<void> {
    return quiet(this.#show());
  }

  async #show(): Promise<void> {
    if (!display(this.#bundle())) console.log(this.description);
  }

  /** For a cell's last expression, `console.log` and Node's REPL. */
  [inspect.custom](depth: number): string {
    return inspectAs(
      depth,
      () => `Chart: ${this.description}`,
      () => this.#bundle(),
    );
  }

  /** Deno's protocol for values that a notebook shows. */
  [Symbol.for('Jupyter.display')](): Bundle['data'] {
    return this.#bundle().data;
  }

  #draw(): string {
    this.#svg ??= renderSVG(this.spec, this.description);
    return this.#svg;
  }

  #bundle(): Bundle {
    return {
      data: {
        'application/vnd.vegalite.v5+json': this.spec,
        'image/svg+xml': this.#draw(),
        'text/plain': this.description,
      },
      metadata: { 'image/svg+xml': { alt: this.description } },
    };
  }
}

/**
 * `over` on top of `base`: objects field by field, anything else replaced; undefined removes (null is a value). What comes
 * shares no object or array with either: a reader who changes one chart's spec changes no other.
 */
export function merge(base: unknown, over: unknown): unknown {
  if (Array.isArray(over)) return over.map((value) => merge(undefined, value));
  if (!isFields(over)) return over;
  const result = isFields(base) ? (merge(undefined, base) as Record<string, unknown>) : {};
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

/** An object that JSON writes field by field: no Date, nothing with a JSON of its own. */
function isFields(value: unknown): value is Record<string, unknown> {
  return (
    Object.prototype.toString.call(value) === '[object Object]' &&
    typeof (value as { toJSON?: unknown }).toJSON !== 'function'
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
