/** Draws a Vega-Lite spec as SVG, without a browser. */
import { createHash } from 'node:crypto';
import { textWidth } from './text-width';
import { FONT, NEUTRAL_TEXT, svgConfig } from './theme';

/** The few names of Vega that are used here; its own types don't compile everywhere ours do. */
interface Vega {
  parse(spec: object): object;
  View: new (
    runtime: object,
    options: object,
  ) => {
    run(): void;
    finalize(): void;
    width(): number;
    height(): number;
    padding(): { left: number; top: number; right: number; bottom: number };
    _viewWidth: number;
    _viewHeight: number;
    origin(): [number, number];
    scenegraph(): { root: object };
  };
  SVGStringRenderer: new (
    loader?: unknown,
  ) => {
    initialize(
      element: null,
      width: number,
      height: number,
      origin: [number, number],
    ): { render(scene: object): { svg(): string } };
  };
  Warn: number;
  Error: number;
  textMetrics: {
    canvas(use: boolean): void;
    width: (item: TextItem, text: unknown) => number;
    estimateWidth: unknown;
  };
}
interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
  limit?: number;
}
interface VegaLite {
  compile(spec: object, options: object): { spec: object };
}

let vega: Vega | undefined;
let vegaLite: VegaLite | undefined;

/** Vega takes 0.1 s to load: only a notebook that draws pays for it. */
function load(): { vega: Vega; vegaLite: VegaLite } {
  if (!vega || !vegaLite) {
    vega = require('vega') as Vega;
    vegaLite = require('vega-lite') as VegaLite;
    // With a canvas (someone installed one) Vega measures by itself.
    if (vega.textMetrics.width === vega.textMetrics.estimateWidth) {
      vega.textMetrics.width = (item, text) => {
        const width = textWidth(String(text ?? ''), item.fontSize ?? 11, isBold(item.fontWeight));
        return item.limit && item.limit > 0 ? Math.min(item.limit, width) : width;
      };
    }
  }
  return { vega, vegaLite };
}

function isBold(weight: string | number | undefined): boolean {
  return weight === 'bold' || Number(weight) >= 600;
}

/**
 * @param spec Vega-Lite 5, data inside.
 * @param description the alternative text, put into the picture as its title.
 * @param warn hears what Vega has to say about the spec; it belongs in no reader's cell.
 * @throws what Vega-Lite throws for a spec it can't compile.
 */
export function renderSVG(
  spec: object,
  description: string,
  warn: (words: string) => void = () => {},
): string {
  const { vega, vegaLite } = load();
  const logger = loggerTo(warn);
  const compiled = vegaLite.compile(withoutInteraction(spec), { config: svgConfig, logger }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger });
  try {
    view.run();
    const { left, top, right, bottom } = view.padding();
    const [x, y] = view.origin();
    const width = Math.max(0, view._viewWidth + left + right);
    const height = Math.max(0, view._viewHeight + top + bottom);
    const svg = new vega.SVGStringRenderer()
      .initialize(null, width, height, [left + x, top + y])
      .render(view.scenegraph().root)
      .svg();
    return finished(svg, description);
  } finally {
    view.finalize();
  }
}

function loggerTo(warn: (words: string) => void): object {
  const logger = {
    level: () => logger,
    warn: (...words: unknown[]) => {
      warn(words.join(' '));
      return logger;
    },
    info: () => logger,
    debug: () => logger,
    error: (...words: unknown[]) => {
      throw new Error(words.join(' '));
    },
  };
  return logger;
}

/** A layer of this name is for the pointer only, and left out of the SVG. */
export const POINTER_LAYER = 'for the pointer';

/** Selections, sliders and what depends on them need a pointer, which an image has not. */
function withoutInteraction(spec: object): object {
  const isForPointer = (part: unknown) =>
    isObject(part) && ('select' in part || isObject(part.bind) || part.name === POINTER_LAYER);
  return JSON.parse(JSON.stringify(spec), (_, value: unknown) => {
    if (Array.isArray(value)) return value.filter((part) => !isForPointer(part));
    // Nothing is selected, so everything is as if it were.
    if (isObject(value) && isObject(value.condition) && 'param' in value.condition) {
      const { param, ...selected } = value.condition;
      return selected;
    }
    return value;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * Half of what Vega writes: positions to 0.1 pixel, nothing invisible, no attribute that says what is so anyway. The text
 * colour is one property, so that a page that has the SVG inside can set `--chart-text`.
 */
function finished(svg: string, description: string): string {
  const short = svg
    .replace(/<text [^>]*opacity="0"[^>]*>[^<]*<\/text>/g, '')
    .replace(/<path class="(?:back|fore)ground"[^>]* (?:d=""|d="M0,0h0v0h0Z")[^>]*\/>/g, '')
    .replace(/ (?:d|transform|x2|y2)="[^"]*"/g, (attribute) => attribute.replace(/(\.\d)\d+/g, '$1'))
    .replaceAll(` font-family="${FONT}"`, '')
    .replace(
      / (?:aria-hidden="true"|role="graphics-[a-z]+"|aria-(?:roledescription|label)="[^"]*"|pointer-events="none"|opacity="1"|stroke-width="1")/g,
      '',
    );
  return withOwnClips(short).replace(
    /<svg ([^>]*)>/,
    (_, attributes: string) =>
      `<svg ${attributes} role="img" font-family="${FONT}" color="${NEUTRAL_TEXT}" style="color:var(--chart-text,${NEUTRAL_TEXT})">` +
      `<title>${escaped(description)}</title>`,
  );
}

/**
 * Vega counts clip paths from the start of the process. A page that has several SVGs inside needs names of their own,
 * and the same picture should be the same text: the name comes from the picture. Equal clips become one.
 */
function withOwnClips(svg: string): string {
  const own = new Map<string, string>();
  const names = new Map<string, string>();
  const anonymous = svg.replace(/clip\d+/g, 'clip');
  const prefix = `clip-${createHash('sha256').update(anonymous).digest('hex').slice(0, 8)}`;
  const kept = svg.replace(/<clipPath id="(clip\d+)">(.*?)<\/clipPath>/g, (_, id: string, shape: string) => {
    const known = own.get(shape);
    names.set(id, known ?? `${prefix}-${own.size + 1}`);
    if (known) return '';
    own.set(shape, names.get(id)!);
    return `<clipPath id="${names.get(id)}">${shape}</clipPath>`;
  });
  return kept.replace(/url\(#(clip\d+)\)/g, (_, id: string) => `url(#${names.get(id)})`);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
