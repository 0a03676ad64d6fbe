/** What charts read from samples of a watch. */
import type { Sample, Samples } from '../record';
import { type ChartFunction, named, refusal } from './record';

/** @throws TypeError for anything that is not what `watch` gives. */
export function samplesOf(
  chart: ChartFunction,
  value: unknown,
  kind: Samples['kind'],
  watch: string,
): Samples {
  if (typeof value === 'object' && value !== null) {
    const samples = value as Partial<Samples>;
    if (samples.kind === kind && typeof samples.series === 'object' && typeof samples.wallMs === 'number') {
      return samples as Samples;
    }
  }
  throw refusal(chart, `${chart.name}() draws what ${watch}() watched; got ${named(value)}.`);
}

/** At most `most` samples: of neighbours the largest stays. */
export function thinned(samples: readonly Sample[], most: number): readonly Sample[] {
  const every = Math.ceil(samples.length / most);
  if (every <= 1) return samples;
  const kept: Sample[] = [];
  for (let at = 0; at < samples.length; at += every) {
    kept.push(
      samples.slice(at, at + every).reduce((largest, sample) => (sample[1] > largest[1] ? sample : largest)),
    );
  }
  return kept;
}
