/** Several named series in one picture: told apart by colour and by a second look, for those who can't see colours. */

/** An encoding of the series' name. */
export interface BySeries {
  readonly field: string;
  readonly type: 'nominal';
  readonly scale: { readonly domain: readonly string[]; readonly range: readonly unknown[] };
  readonly legend: object | null;
}

/**
 * Encodings that give each name its own of some looks (colours, shapes, dashes), used in turn. All encodings of one
 * picture share a legend; a single series needs none.
 */
export function bySeries(field: string, names: readonly string[]): (looks: readonly unknown[]) => BySeries {
  const legend = names.length > 1 ? { title: null, orient: 'bottom', columns: 3 } : null;
  return (looks) => ({
    field,
    type: 'nominal',
    scale: { domain: names, range: names.map((_, at) => looks[at % looks.length]) },
    legend,
  });
}

/** What was measured: large points that tell their figures to the pointer. */
export const POINT = { type: 'point', filled: true, size: 80, opacity: 1 };
