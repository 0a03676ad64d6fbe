import { type Bundle, display, quiet } from '../notebook';
import { createShown } from './chart';
import { named, refusal } from './record';

const DISPLAY = Symbol.for('Jupyter.display');

/**
 * Shows a value in the cell as it should look: one that has a method `Symbol.for('Jupyter.display')`, Deno's protocol,
 * which returns MIME types and their content (or a promise of it), and a Vega-Lite spec (an object whose `$schema` says
 * so), which gets the looks of our charts where it has none of its own: colours, fonts, 600 pixels of width. Anything else is printed. Outside a notebook, its text is printed.
 *
 * @example
 * await show({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>bold</b>' }) });
 *
 * @throws TypeError when the method returns something else; what Vega-Lite says of a spec that it can't draw.
 */
export function show(value: unknown): Promise<void> {
  return quiet(shown(value));
}

async function shown(value: unknown): Promise<void> {
  if (isObject(value)) {
    const method: unknown = Reflect.get(value, DISPLAY);
    if (typeof method === 'function') {
      const data: unknown = await method.call(value);
      if (!isBundle(data)) {
        throw refusal(
          show,
          `Symbol.for('Jupyter.display') returns an object such as { 'text/html': '…' }; it returned ${named(data)}.`,
        );
      }
      const alt = data['text/plain'];
      // nbconvert wants words for a picture.
      const metadata = typeof alt === 'string' ? { 'image/svg+xml': { alt }, 'image/png': { alt } } : {};
      const known = Object.entries(metadata).filter(([type]) => type in data);
      if (!display({ data, metadata: Object.fromEntries(known) })) console.log(alt ?? value);
      return;
    }
    if (isVegaLite(value)) {
      await createShown(value).show();
      return;
    }
  }
  console.log(value);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isBundle(data: unknown): data is Bundle['data'] {
  return (
    typeof data === 'object' &&
    data !== null &&
    Object.keys(data).length > 0 &&
    Object.keys(data).every((type) => /^[\w.+-]+\/[\w.+-]+/.test(type))
  );
}

function isVegaLite(value: object): boolean {
  const { $schema } = value as { $schema?: unknown };
  return typeof $schema === 'string' && /\bvega-lite\b/.test($schema);
}
