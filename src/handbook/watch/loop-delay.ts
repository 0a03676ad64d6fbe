import { type Chart, type ChartOptions, checkOptions, createChart } from '../../helper/charts/chart';
import { thinned } from '../../helper/charts/series';
import { ALARM, PALETTE, THEME_TEXT } from '../../helper/charts/theme';
import { time, timeUnit } from '../../helper/charts/units';
import { samplesOf } from './samples';
import type { Samples } from './watch';

/** Milliseconds: what keeps a thread longer is a "long task" (W3C, Long Tasks API); a person begins to notice it. */
const LONG_MS = 50;
/** Milliseconds: less is the timer's own jitter. */
const NOISE_MS = 1;
const MOST_BARS = 700;

/**
 * How long the event loop was blocked, over time: each bar is as wide and as high as the time in which nothing else
 * could run on this thread: no timer, no answer, no stop button.
 *
 * @param samples what `watchLoopDelay()` returns, still watching or stopped.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function loopDelay(samples: Samples, options: ChartOptions = {}): Chart {
  const { wallMs, series } = samplesOf(loopDelay, samples, 'loopDelay', 'watchLoopDelay');
  checkOptions(loopDelay, options);
  const delays = Object.values(series)[0] ?? [];
  const longestMs = delays.reduce((longest, [, ms]) => Math.max(longest, ms), 0);
  const blockedMs = delays.reduce((sum, [, ms]) => sum + (ms >= NOISE_MS ? ms : 0), 0);
  const sorted = delays.map(([, ms]) => ms).sort((a, b) => a - b);
  const within = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
  const unit = timeUnit(wallMs);
  const delayUnit = timeUnit(Math.max(longestMs, NOISE_MS));
  const bars = thinned(
    delays.filter(([, ms]) => ms >= NOISE_MS),
    MOST_BARS,
  ).map(([atMs, ms]) => ({
    start: +(Math.max(0, atMs - ms) / unit.ms).toPrecision(5),
    end: +(atMs / unit.ms).toPrecision(5),
    delay: +(ms / delayUnit.ms).toPrecision(4),
    long: ms >= LONG_MS,
  }));
  const figures =
    delays.length === 0
      ? 'Nothing was seen: watch for longer, across an await.'
      : `Longest ${time(longestMs)}, 99 % of ${delays.length.toLocaleString('en-US')} looks within ${time(within)}, blocked ${Math.round((blockedMs / wallMs) * 100)} % of ${time(wallMs)}`;
  const color = (options.palette ?? PALETTE)[0];
  const hasLong = longestMs >= LONG_MS;
  const isQuiet = delays.length > 0 && bars.length === 0;
  return createChart(
    {
      title: 'How long the event loop was blocked',
      subtitle: figures,
      description: `How long the event loop was blocked. ${figures}${figures.endsWith('.') ? '' : '.'}`,
      height: 160,
      spec: {
        layer: [
          // Bars stand on the time that was watched: where there are none, nothing blocked.
          {
            name: 'watched',
            data: { values: delays.length ? [{ delay: 0 }] : [] },
            mark: { type: 'rule', strokeWidth: 3, color },
            encoding: { y: { field: 'delay', type: 'quantitative' } },
          },
          {
            name: 'delays',
            data: { values: bars },
            mark: {
              type: 'rect',
              strokeWidth: 1,
              tooltip: {
                expr: `{blocked: format(datum.delay, '.3~r') + ' ${delayUnit.name}', until: format(datum.end, '.5~r') + ' ${unit.name}'}`,
              },
            },
            encoding: {
              x: {
                field: 'start',
                type: 'quantitative',
                scale: { domain: [0, +(wallMs / unit.ms).toPrecision(5) || 1], nice: false },
                axis: { title: `time from the start (${unit.name})`, tickCount: { expr: 'width / 70' } },
              },
              x2: { field: 'end' },
              y: {
                field: 'delay',
                type: 'quantitative',
                scale: {
                  domain: [0, +((Math.max(longestMs, NOISE_MS) * 1.1) / delayUnit.ms).toPrecision(3)],
                  nice: true,
                },
                axis: { title: `blocked (${delayUnit.name})`, tickCount: 5 },
              },
              y2: { datum: 0 },
              fill: { condition: { test: 'datum.long', value: ALARM }, value: color },
              stroke: { condition: { test: 'datum.long', value: ALARM }, value: color },
            },
          },
          ...(isQuiet
            ? [
                {
                  name: 'quiet label',
                  data: { values: [{ delay: NOISE_MS / 2 / delayUnit.ms }] },
                  mark: { ...THEME_TEXT, text: `never blocked for ${NOISE_MS} ms or longer` },
                  encoding: {
                    x: { value: { expr: 'width / 2' } },
                    y: { field: 'delay', type: 'quantitative' },
                  },
                },
              ]
            : []),
          ...(hasLong
            ? [
                {
                  name: 'long',
                  data: { values: [{ delay: LONG_MS / delayUnit.ms }] },
                  mark: { type: 'rule', strokeDash: [4, 4], color: '#808080' },
                  encoding: { y: { field: 'delay', type: 'quantitative' } },
                },
                {
                  name: 'long label',
                  data: { values: [{ delay: LONG_MS / delayUnit.ms }] },
                  mark: {
                    ...THEME_TEXT,
                    align: 'right',
                    baseline: 'bottom',
                    dx: -4,
                    dy: -3,
                    text: `${LONG_MS} ms: a person notices`,
                  },
                  encoding: { x: { value: { expr: 'width' } }, y: { field: 'delay', type: 'quantitative' } },
                },
              ]
            : []),
        ],
      },
    },
    options,
  );
}
