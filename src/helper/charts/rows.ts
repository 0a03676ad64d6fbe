/** Charts of rows below each other (lanes, runs) place them by pixel: rows may differ in height, and have headings. */
import { textWidth, wrap } from './text-width';
import { LABEL_SIZE, THEME_TEXT } from './theme';

/** A name left of a row is cut at this: pixels, and share of the picture's width. */
const NAME_LIMIT = 180;
const NAME_SHARE = 0.35;
const LINE = 16;

export class Rows {
  /** Pixels so far. */
  height = 0;
  readonly #room: number;
  readonly #nameLimit: number;
  readonly #names: Record<number, string> = {};
  readonly #bold: Record<number, boolean> = {};
  readonly #headings: { y: number; text: string }[] = [];

  /**
   * @param width of the whole picture, in pixels
   * @param names all that will stand left of rows: they take their width from the headings
   */
  constructor(width: number, names: readonly string[]) {
    const longest = Math.max(0, ...names.map((name) => textWidth(name, LABEL_SIZE, true)));
    this.#nameLimit = Math.min(NAME_LIMIT, width * NAME_SHARE);
    this.#room = width - Math.min(this.#nameLimit, longest) - 25;
  }

  /** Leaves space, unless nothing is above. */
  gap(pixels: number): void {
    if (this.height > 0) this.height += pixels;
  }

  /**
   * Begins a row.
   * @param name stands left of its middle; none when empty.
   * @returns its top.
   */
  add(pixels: number, name = '', bold = false): number {
    const top = this.height;
    if (name) {
      this.#names[top + pixels / 2] = name;
      this.#bold[top + pixels / 2] = bold;
    }
    this.height += pixels;
    return top;
  }

  /** A row of text, with a name in bold before it. */
  heading(text: string, name = ''): void {
    const lines = wrap(text, this.#room, LABEL_SIZE);
    lines.forEach((line, at) => {
      const isLast = at === lines.length - 1;
      const top = this.add(LINE, at === 0 ? name : '', true);
      this.#headings.push({ y: top + LINE / 2, text: line });
      if (isLast) this.height += 6;
    });
  }

  /** Parameters of the spec that the axis' expressions use. */
  params(): object[] {
    return [
      { name: 'names', value: this.#names },
      { name: 'bold', value: this.#bold },
    ];
  }

  /** The vertical encoding of a field in pixels from the top. */
  y(field: string): object {
    return {
      field,
      type: 'quantitative',
      scale: { domain: [0, this.height || 1], reverse: true, nice: false },
      axis: {
        values: Object.keys(this.#names).map(Number),
        title: null,
        domain: false,
        ticks: false,
        grid: false,
        labelExpr: 'names[datum.value]',
        labelLimit: this.#nameLimit,
        labelFontWeight: { condition: { test: 'bold[datum.value]', value: 'bold' }, value: 'normal' },
      },
    };
  }

  /** The layer of the headings' texts; nothing when there are none. */
  headings(): object[] {
    if (this.#headings.length === 0) return [];
    return [
      {
        name: 'headings',
        data: { values: this.#headings },
        mark: { ...THEME_TEXT, align: 'left', baseline: 'middle', dx: 4 },
        encoding: { x: { value: 0 }, y: this.y('y'), text: { field: 'text' } },
      },
    ];
  }
}
