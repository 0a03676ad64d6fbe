/** Bars below each other, with a name left of each and figures right of it. */
import { textWidth } from './text-width';
import { LABEL_SIZE } from './theme';

/** A name longer than this is cut. */
function labelLimit(width: number): number {
  return Math.round(width * 0.4);
}

/** Where the axis ends, so that what is written after each bar has room. */
export function barEnd(
  rows: readonly { textAt: number; text: string }[],
  width: number,
  labels: readonly string[],
): number {
  const label = Math.max(0, ...labels.map((text) => textWidth(text, LABEL_SIZE)));
  const plot = width - Math.min(labelLimit(width), label) - 30;
  const ends = rows.map(({ textAt, text }) => {
    const left = plot - textWidth(text, LABEL_SIZE) - 12;
    return (textAt * plot) / Math.max(left, plot * 0.3);
  });
  return +Math.max(0, ...ends).toPrecision(4) || 1;
}

/** The vertical encoding: rows have a `place`, and the spec's parameter `labels` has their names. */
export function barNames(width: number): object {
  return {
    field: 'place',
    type: 'ordinal',
    axis: {
      title: null,
      domain: false,
      ticks: false,
      labelExpr: 'labels[datum.value]',
      labelLimit: labelLimit(width),
      labelFontSize: LABEL_SIZE,
    },
  };
}
