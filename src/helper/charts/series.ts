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

type XY = readonly [x: number, y: number];

/** At most `most` points: of neighbours the largest stays. */
export function thinned(points: readonly XY[], most: number): readonly XY[] {
  const every = Math.ceil(points.length / most);
  if (every <= 1) return points;
  const kept: XY[] = [];
  for (let at = 0; at < points.length; at += every) {
    kept.push(
      points.slice(at, at + every).reduce((largest, point) => (point[1] > largest[1] ? point : largest)),
    );
  }
  return kept;
}
