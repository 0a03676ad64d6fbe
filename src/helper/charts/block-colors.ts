import type { Lane } from './lanes';

/** Which colour each block of a timeline has. */
export interface Colors {
  /** Kinds of blocks, and their colours in the same order. */
  readonly domain: readonly string[];
  readonly range: readonly string[];
  /** The kinds that a legend should explain. */
  readonly named: readonly string[];
  /** The kind of a span of the run at this place. */
  kindOf(span: { index: number; label?: string }, run: number): string;
}

/** What a legend calls the items of a run whose other work has labels. */
const ITEMS = 'items';

/**
 * By label where a run has labels, otherwise by item, so that neighbours can be told apart. More labels than colours
 * take turns, as items do, and have no legend.
 * @param runs the lanes of each run
 */
export function colorsOf(runs: readonly (readonly Lane[])[], palette: readonly string[]): Colors {
  const labels = new Set<string>();
  const withLabels = new Set<number>();
  let mixed = false;
  runs.forEach((lanes, run) => {
    const spans = lanes.flatMap(({ blocks }) => blocks.map(({ span }) => span));
    const labelled = spans.filter(({ label }) => label !== undefined);
    for (const { label } of labelled) labels.add(label!);
    if (labelled.length > 0) {
      withLabels.add(run);
      if (labelled.length < spans.length) mixed = true;
    }
  });
  const kinds = mixed ? [ITEMS, ...labels] : [...labels];
  const named = kinds.length <= palette.length ? kinds : [];
  const places = new Map(kinds.map((kind, at) => [kind, at % palette.length]));
  const turn = palette.map((_, at) => `color ${at + 1}`);
  return {
    domain: [...turn, ...named],
    range: [...palette, ...named.map((kind) => palette[places.get(kind)!]!)],
    named,
    kindOf({ index, label }, run) {
      if (!withLabels.has(run)) return turn[Math.max(0, index) % palette.length]!;
      const kind = label ?? ITEMS;
      return named.length > 0 ? kind : turn[places.get(kind)!]!;
    },
  };
}
