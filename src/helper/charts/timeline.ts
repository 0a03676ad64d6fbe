import type { RunRecord, SpanStatus } from '../record';
import { type Colors, colorsOf } from './block-colors';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { coarser, type Lanes, lanesOf, MOST_BLOCKS, outline } from './lanes';
import { figures, inWords, type Recorded, recordsOf } from './record';
import { Rows } from './rows';
import { POINTER_LAYER } from './svg';
import { textWidth } from './text-width';
import { ALARM, NEUTRAL, PALETTE, THEME_TEXT, textOn, WIDTH } from './theme';
import { count, time, timeUnit } from './units';

export interface TimelineOptions extends ChartOptions {
  /** Draws each item's wait, from ready to started, as a thin line before its block. Default false. */
  queue?: boolean;
}

/** Pixels. */
const GAP = 12;
/** From one lane's name to the next, at least. */
const LINE = 14;

/**
 * Who ran what, when: one row a lane (a thread, a process), one block an item; several runs below each other on one
 * time axis. Failed items are hollow with a cross, cancelled ones hollow and dashed. Blocks are coloured by label where
 * spans have labels, by item otherwise. In JupyterLab blocks tell their figures to the pointer, Ctrl and the wheel zoom,
 * dragging moves, a double click resets; a click on a name in the legend leaves its blocks alone.
 *
 * More than 800 spans are drawn as profiles: how much of each slice of time a lane was busy.
 *
 * @param runs a run, a record, one read back from JSON, or a list of them.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function timeline(runs: Recorded | readonly Recorded[], options: TimelineOptions = {}): Chart {
  const records = recordsOf(timeline, runs);
  checkOptions(timeline, options, {
    queue: { words: 'true or false', test: (value) => typeof value === 'boolean' },
  });
  return draw(records, options, MOST_BLOCKS);
}

/** Characters of JSON that the blocks may take: the SVG takes as much again. */
const MOST_JSON = 120_000;

/** Points of all profiles. */
const MOST_POINTS = 2600;

function pointsIn(drawn: readonly Drawn[]): number {
  let sum = 0;
  for (const { lanes } of drawn)
    for (const { profile } of lanes) sum += profile ? outline(profile, 24).length : 0;
  return sum;
}

function draw(records: readonly RunRecord[], options: TimelineOptions, mostBlocks: number): Chart {
  const palette = options.palette ?? PALETTE;
  const spans = records.reduce((sum, { spans }) => sum + spans.length, 0);
  let drawn: Drawn[] = records.map((record) => ({
    record,
    // Where there are too many in all, the small runs keep their blocks.
    ...lanesOf(record, spans > mostBlocks ? mostBlocks / (2 * records.length) : mostBlocks),
  }));
  while (pointsIn(drawn) > MOST_POINTS) drawn = drawn.map((run) => ({ ...run, ...coarser(run) }));
  const endMs = Math.max(0, ...drawn.map((run) => run.endMs));
  const unit = timeUnit(endMs);
  // A millionth of the axis is less than a pixel at any zoom that makes sense.
  const digits = Math.min(9, Math.max(0, 6 - Math.ceil(Math.log10(endMs / unit.ms || 1))));
  const inUnit = (ms: number) => +(ms / unit.ms).toFixed(digits);
  const colors = colorsOf(
    drawn.map(({ lanes }) => lanes),
    palette,
  );

  const tracks = drawn.flatMap(({ lanes }) => lanes).reduce((sum, lane) => sum + lane.tracks, 0);
  const finest = tracks <= 16 ? 24 : tracks <= 40 ? 16 : tracks <= 100 ? 10 : tracks <= 150 ? 6 : 3;
  const bands: object[] = [];
  const rows: Row[] = [];
  const points: object[] = [];
  const crosses: object[] = [];
  const layout = new Rows(
    options.width ?? WIDTH,
    drawn.flatMap(({ record, lanes }) => [record.label, ...lanes.map(({ name }) => name)]),
  );
  for (const [run, { record, lanes, endMs: end, sliceMs, together, mostItems }] of drawn.entries()) {
    if (records.length > 1) {
      layout.gap(GAP);
      layout.heading([figures(record), ...notes(mostItems, sliceMs, together)].join('; '), record.label);
    }
    const top = layout.height;
    let nameFrom = top;
    // Beside a run of a hundred lanes, one of a few is still to be seen.
    const isSmall = lanes.reduce((sum, lane) => sum + lane.tracks, 0) <= 16;
    const step = isSmall ? Math.max(10, finest) : finest;
    const pad = step >= 16 ? 2 : step >= 6 ? 1 : 0.25;
    for (const lane of lanes) {
      const height = lane.tracks * step;
      // In narrow rows every second or third lane has a name.
      const isNamed = layout.height >= nameFrom;
      const y = layout.add(height, isNamed ? lane.name : '');
      if (isNamed) nameFrom = y + LINE;
      if (step >= 16) bands.push({ start: 0, end: inUnit(end), y: y + pad / 2, y2: y + height - pad / 2 });
      for (const { span, track } of lane.blocks) {
        rows.push({
          ...(records.length > 1 ? { run: record.label } : {}),
          lane: span.lane,
          ...(span.index >= 0 ? { item: itemText(span) } : {}),
          start: inUnit(span.startMs),
          end: inUnit(span.endMs),
          ...(options.queue ? { ready: inUnit(span.startMs - span.queuedMs) } : {}),
          ...(span.queuedMs >= endMs / 1000 ? { queued: inUnit(span.queuedMs) } : {}),
          y: y + track * step + pad,
          y2: y + (track + 1) * step - pad,
          kind: colors.kindOf(span, run),
          ...(span.label === undefined ? {} : { label: span.label.slice(0, 60) }),
          ...(span.status === 'ok' ? {} : { status: span.status }),
          ...(span.attempt > 1 ? { attempt: span.attempt } : {}),
          ...(span.error === undefined ? {} : { error: span.error.slice(0, 100) }),
        });
      }
      if (lane.profile && sliceMs) {
        const bottom = y + height - pad;
        for (const point of [...outline(lane.profile, height), { place: 1, height: 0 }]) {
          points.push({
            start: inUnit(point.place * end),
            y: +(bottom - point.height * (height - 2 * pad)).toFixed(1),
            y2: bottom,
          });
        }
        for (const slice of lane.profile.failed) {
          crosses.push({ at: inUnit((slice + 0.5) * sliceMs), y: y + height / 2 });
        }
      }
    }
    if (step < 16 && lanes.length > 0) bands.push({ start: 0, end: inUnit(end), y: top, y2: layout.height });
    if (lanes.length === 0) layout.heading('no work was recorded');
  }
  if (records.length === 0) layout.heading('No runs.');
  if (JSON.stringify(rows).length > MOST_JSON) return draw(records, options, mostBlocks / 2);

  const x = {
    field: 'start',
    type: 'quantitative',
    scale: { domain: [0, inUnit(endMs) || 1], nice: false },
    axis:
      endMs > 0 ? { title: `time from the start (${unit.name})`, tickCount: { expr: 'width / 70' } } : null,
  };
  const layer: object[] = [
    {
      name: 'lanes',
      data: { values: bands },
      mark: { type: 'rect', color: NEUTRAL, opacity: 0.12, clip: true },
      encoding: { x, x2: { field: 'end' }, y: layout.y('y'), y2: { field: 'y2' } },
      params: [
        {
          name: 'zoom',
          select: {
            type: 'interval',
            encodings: ['x'],
            // The bare wheel belongs to the page, which a reader scrolls with the pointer on a chart.
            zoom: 'wheel![event.ctrlKey || event.metaKey || event.altKey]',
          },
          bind: 'scales',
        },
      ],
    },
  ];
  if (points.length > 0) {
    layer.push({
      name: 'profiles',
      data: { values: points },
      mark: { type: 'area', interpolate: 'step-after', color: palette[0], clip: true },
      encoding: { x, y: layout.y('y'), y2: { field: 'y2' }, detail: { field: 'y2' } },
    });
  }
  if (crosses.length > 0) {
    const mark = { ...CROSS, size: finest >= 16 ? 40 : 12 };
    layer.push({
      name: 'failures',
      // A picture full of crosses says no more than one with some.
      data: { values: thinned(crosses, 150) },
      encoding: { x: { ...x, field: 'at' }, y: layout.y('y') },
      layer: [{ mark: { ...mark, stroke: '#fff', strokeWidth: 5 } }, { mark }],
    });
  }
  if (rows.length > 0) {
    layer.push({
      data: { values: rows },
      layer: blockLayers(rows, {
        place: { x, x2: { field: 'end' }, y: layout.y('y'), y2: { field: 'y2' } },
        colors,
        unit: unit.name,
        queue: options.queue === true,
        step: finest,
      }),
    });
  }
  layer.push(...layout.headings());
  if ((options.width ?? WIDTH) >= 500) {
    layer.push({
      name: POINTER_LAYER,
      data: { values: [{}] },
      mark: {
        ...THEME_TEXT,
        align: 'right',
        baseline: 'top',
        fontSize: 10,
        opacity: 0.7,
        clip: false,
        text: 'Ctrl + wheel zooms, drag moves',
      },
      encoding: { x: { value: { expr: 'width' } }, y: { value: { expr: 'height + 28' } } },
    });
  }

  const description = descriptionOf(records, drawn);
  return createChart(
    {
      title: 'Who ran what, when',
      subtitle: subtitleOf(drawn),
      description,
      height: layout.height,
      spec: {
        params: layout.params(),
        layer,
      },
    },
    options,
  );
}

/** A block as the spec has it: times in the axis' unit, heights in pixels. */
interface Row {
  run?: string;
  lane: string;
  item?: string;
  ready?: number;
  start: number;
  end: number;
  queued?: number;
  y: number;
  y2: number;
  kind: string;
  label?: string;
  status?: SpanStatus;
  attempt?: number;
  error?: string;
}

interface Drawn extends Lanes {
  readonly record: RunRecord;
}

function subtitleOf(drawn: readonly Drawn[]): string {
  if (drawn.length === 0) return '';
  if (drawn.length > 1) return '';
  const { record, mostItems, sliceMs, together } = drawn[0]!;
  return `${record.label}: ${[figures(record), ...notes(mostItems, sliceMs, together)].join('; ')}`;
}

function notes(mostItems: number, sliceMs: number | undefined, together: number): string[] {
  const words: string[] = [];
  if (mostItems > 1 && !sliceMs) words.push(`each block up to ${count(mostItems, 'item')}`);
  if (sliceMs) words.push(`${together > 1 ? 'lanes busy' : 'height: share busy'} in each ${time(sliceMs)}`);
  return words;
}

function descriptionOf(records: readonly RunRecord[], drawn: readonly Drawn[]): string {
  const lanes = drawn.reduce(
    (sum, run) => sum + Math.max(run.lanes.length, run.together > 1 ? run.together : 0),
    0,
  );
  return `Timeline of ${count(records.length, 'run')} on ${count(lanes, 'lane')}. ${inWords(records)}`;
}

function itemText({ index, count }: { index: number; count: number }): string {
  return count > 1 ? `${index}–${index + count - 1}` : String(index);
}

const CROSS = {
  type: 'point',
  shape: 'M-1,-1L1,1M1,-1L-1,1',
  filled: false,
  stroke: ALARM,
  strokeWidth: 2,
  opacity: 1,
  clip: true,
};

/** What stands in a block. */
const TEXT = "(datum.label || datum.item || '')";

const MIDDLE = {
  x: { value: { expr: "(scale('x', datum.start) + scale('x', datum.end)) / 2" } },
  y: { value: { expr: "(scale('y', datum.y) + scale('y', datum.y2)) / 2" } },
};

interface BlockLooks {
  /** The four edges' encodings. */
  place: object;
  colors: Colors;
  /** Of the times. */
  unit: string;
  /** Draws waits. */
  queue: boolean;
  /** Height of a lane in pixels. */
  step: number;
}

function blockLayers(rows: readonly Row[], { place, colors, unit, queue, step }: BlockLooks): object[] {
  const scale = { domain: colors.domain, range: colors.range };
  const legend =
    colors.named.length > 0
      ? {
          values: colors.named,
          title: null,
          orient: 'bottom',
          direction: 'horizontal',
          columns: 4,
          symbolType: 'square',
        }
      : null;
  const dark = colors.domain.filter((_, at) => textOn(colors.range[at]!) === '#fff');
  // As an encoding: beside a selection, the Vega-Lite of JupyterLab ignores a mark's own tooltip.
  const tooltip = {
    value: {
      expr:
        `merge(datum.run ? {run: datum.run} : {}, {lane: datum.lane}, datum.item ? {item: datum.item} : {}, ` +
        `datum.label ? {label: datum.label} : {}, ` +
        `{took: format(datum.end - datum.start, '.3~r') + ' ${unit}', ` +
        `start: format(datum.start, '.6~r') + ' ${unit}', end: format(datum.end, '.6~r') + ' ${unit}'}, ` +
        `datum.queued ? {waited: format(datum.queued, '.3~r') + ' ${unit}'} : {}, ` +
        `datum.attempt ? {attempt: datum.attempt} : {}, ` +
        `datum.status ? {status: datum.status} : {}, datum.error ? {error: datum.error} : {})`,
    },
  };
  const block = (name: string, filter: string, mark: object) => ({
    name,
    transform: [{ filter }],
    mark: { type: 'rect', clip: true, x2Offset: -0.5, ...mark },
    encoding: {
      ...place,
      tooltip,
      fill: { field: 'kind', type: 'nominal', scale, legend },
      stroke: { field: 'kind', type: 'nominal', scale, legend },
      ...(legend ? { opacity: { condition: { param: 'picked', value: 1 }, value: 0.15 } } : {}),
    },
  });
  const has = (status: string) => rows.some((row) => row.status === status);
  const ok = block('ok', '!datum.status', { strokeWidth: 0.5 });
  // A click on a name in the legend leaves only its blocks.
  const picked = { name: 'picked', select: { type: 'point', fields: ['kind'] }, bind: 'legend' };
  const layers: object[] = [legend ? { ...ok, params: [picked] } : ok];
  if (has('cancelled')) {
    layers.push(
      block('cancelled', "datum.status === 'cancelled'", {
        fillOpacity: 0.1,
        strokeWidth: 1.5,
        strokeDash: [3, 3],
      }),
    );
  }
  if (has('failed')) {
    layers.push(block('failed', "datum.status === 'failed'", { fillOpacity: 0.1, strokeWidth: 1.5 }), {
      name: 'crosses',
      transform: [{ filter: "datum.status === 'failed'" }],
      mark: { ...CROSS, size: step >= 16 ? 40 : 12 },
      encoding: { ...MIDDLE, tooltip },
    });
  }
  if (queue) {
    layers.unshift({
      name: 'waits',
      transform: [{ filter: 'datum.ready < datum.start' }],
      mark: { type: 'rule', color: NEUTRAL, opacity: 0.6, clip: true },
      encoding: {
        x: { field: 'ready', type: 'quantitative' },
        x2: { field: 'start' },
        y: MIDDLE.y,
      },
    });
  }
  if (step >= 16) {
    const fontSize = step >= 24 ? 11 : 10;
    // Zooming makes room for more texts, so the viewer decides; it only knows how many characters there are.
    const widths = rows
      .map(({ label, item }) => label ?? item ?? '0')
      .map((text) => textWidth(text, fontSize) / text.length);
    const perCharacter = Math.max(...widths).toFixed(1);
    layers.push({
      name: 'texts',
      transform: [{ filter: '!datum.status' }],
      mark: { type: 'text', baseline: 'middle', fontSize, clip: true },
      encoding: {
        ...MIDDLE,
        text: { value: { expr: TEXT } },
        color: { condition: { test: { field: 'kind', oneOf: dark }, value: '#fff' }, value: '#000' },
        opacity: {
          condition: {
            test: `scale('x', datum.end) - scale('x', datum.start) > ${perCharacter} * length(${TEXT}) + 6`,
            value: 1,
          },
          value: 0,
        },
      },
    });
  }
  return layers;
}

function thinned<T>(list: readonly T[], most: number): readonly T[] {
  const every = Math.ceil(list.length / most);
  return every > 1 ? list.filter((_, at) => at % every === 0) : list;
}
