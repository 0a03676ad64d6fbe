/** What charts read from samples of a watch. */
import { type ChartFunction, named, refusal } from '../../helper/charts/record';
import type { Samples } from './watch';

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
