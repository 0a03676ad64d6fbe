/** From spans to what a timeline draws: rows of lanes with blocks, or with profiles where there are too many blocks. */
import type { RunRecord, Span } from '../record';

/** Above this many spans in one chart, blocks give way to profiles: the payload stays under 300 KB. */
export const MOST_BLOCKS = 800;
/** A run with more lanes than this is drawn as one: how many were busy. */
export const MOST_LANES = 200;
/** Slices of a profile: 2 to the power of 8, to be halved where there are many lanes. */
const SLICES = 256;

/** One row of a timeline. */
export interface Lane {
  readonly name: string;
  /** Spans that overlap in time are drawn below each other. */
  readonly tracks: number;
  readonly blocks: readonly Block[];
  /** In place of blocks. */
  readonly profile?: Profile;
}

/** How busy a lane, or several lanes together, were in each of equal slices of the run's time. */
export interface Profile {
  /** 0 to `most`. */
  readonly busy: Float64Array;
  readonly most: number;
  /** Slices in which an item failed. */
  readonly failed: Set<number>;
}

export interface Block {
  readonly span: Span;
  /** From 0. */
  readonly track: number;
}

export interface Lanes {
  readonly lanes: readonly Lane[];
  /** Milliseconds: the run's time, and any span beyond it. */
  readonly endMs: number;
  /** Milliseconds in a slice, where there are profiles. */
  readonly sliceMs?: number;
  /** More than one: the lanes are too many to draw, and are one row together. */
  readonly together: number;
  /** The most items that one span stands for. */
  readonly mostItems: number;
}

/** @param mostBlocks more spans than this become profiles. */
export function lanesOf(record: RunRecord, mostBlocks: number): Lanes {
  return record.spans.length > mostBlocks ? profiles(record) : blocks(record);
}

function blocks(record: RunRecord): Lanes {
  const byLane = new Map<string, Span[]>();
  let endMs = record.wallMs;
  let mostItems = 1;
  for (const span of record.spans) {
    const spans = byLane.get(span.lane);
    if (spans) spans.push(span);
    else byLane.set(span.lane, [span]);
    endMs = Math.max(endMs, span.endMs);
    mostItems = Math.max(mostItems, span.count);
  }
  if (byLane.size > MOST_LANES) return profiles(record);
  const lanes = [...byLane].map(([name, spans]) => ({ name, ...stacked(spans) }));
  return { lanes: lanes.sort(mainFirst), endMs, together: 1, mostItems };
}

/** Each span goes to the first track that is free when it starts. */
function stacked(spans: Span[]): { tracks: number; blocks: Block[] } {
  spans.sort((a, b) => a.startMs - b.startMs);
  const freeAt: number[] = [];
  const blocks = spans.map((span) => {
    // A microsecond's overlap is the clock's, not the lane's.
    let track = freeAt.findIndex((ms) => ms <= span.startMs + 0.001);
    if (track < 0) track = freeAt.length;
    freeAt[track] = span.endMs;
    return { span, track };
  });
  return { tracks: freeAt.length, blocks };
}

function profiles(record: RunRecord): Lanes {
  const { wallMs: endMs } = record;
  const sliceMs = endMs / SLICES || 1;
  const byLane = new Map<string, Profile>();
  let mostItems = 1;
  for (const span of record.spans) {
    let profile = byLane.get(span.lane);
    if (!profile) {
      profile = { busy: new Float64Array(SLICES), most: 1, failed: new Set() };
      byLane.set(span.lane, profile);
    }
    if (span.count > mostItems) mostItems = span.count;
    if (span.status === 'failed') profile.failed.add(sliceAt(span.endMs / sliceMs));
    addTo(profile.busy, span, sliceMs);
  }
  const common = { endMs, sliceMs, mostItems };
  if (byLane.size <= MOST_LANES) {
    const lanes = [...byLane].map(([name, profile]) => {
      // More than 1 where a lane has several items in flight.
      const most = Math.max(1, Math.round(Math.max(...profile.busy)));
      return { name, tracks: 1, blocks: [], profile: { ...profile, most } };
    });
    return { ...common, lanes: lanes.sort(mainFirst), together: 1 };
  }
  const all: Profile = { busy: new Float64Array(SLICES), most: 1, failed: new Set() };
  for (const { busy, failed } of byLane.values()) {
    for (let at = 0; at < SLICES; at++) all.busy[at]! += busy[at]!;
    for (const slice of failed) all.failed.add(slice);
  }
  const most = Math.max(1, Math.ceil(Math.max(...all.busy)));
  const name = `${byLane.size.toLocaleString('en-US')} lanes`;
  return {
    ...common,
    together: byLane.size,
    lanes: [{ name, tracks: 4, blocks: [], profile: { ...all, most } }],
  };
}

/** How many lanes of a run were busy in each slice of its time; work that is not the run's own is not counted. */
export function busyLanes(record: RunRecord): { busy: Float64Array; sliceMs: number } {
  const sliceMs = record.wallMs / SLICES || 1;
  const items = new Float64Array(SLICES);
  const others = new Float64Array(SLICES);
  let hasItems = false;
  for (const span of record.spans) {
    hasItems ||= span.index >= 0;
    addTo(span.index >= 0 ? items : others, span, sliceMs);
  }
  return { busy: hasItems ? items : others, sliceMs };
}

/** Adds the share of each slice that a span fills. */
function addTo(busy: Float64Array, { startMs, endMs }: Span, sliceMs: number): void {
  const first = sliceAt(startMs / sliceMs);
  const last = sliceAt(endMs / sliceMs);
  if (first === last) {
    busy[first]! += (endMs - startMs) / sliceMs;
    return;
  }
  busy[first]! += first + 1 - startMs / sliceMs;
  for (let slice = first + 1; slice < last; slice++) busy[slice]! += 1;
  busy[last]! += Math.min(1, endMs / sliceMs - last);
}

function sliceAt(place: number): number {
  return Math.min(SLICES - 1, Math.max(0, Math.floor(place)));
}

const inOrder = new Intl.Collator('en', { numeric: true });

/**
 * The points where a profile's height changes: place in the run's time (0 to 1), height (0 to 1).
 * @param pixels of the row: less than one is no change
 */
export function outline({ busy, most }: Profile, pixels: number): { place: number; height: number }[] {
  const points: { place: number; height: number }[] = [];
  for (let at = 0; at < busy.length; at++) {
    const height = Math.round(Math.min(1, busy[at]! / most) * pixels) / pixels;
    if (height !== points.at(-1)?.height) points.push({ place: at / busy.length, height });
  }
  return points;
}

/** The same with half as many slices. */
export function coarser(lanes: Lanes): Lanes {
  if (lanes.sliceMs === undefined) return lanes;
  const half = ({ busy, most, failed }: Profile): Profile => ({
    busy: Float64Array.from({ length: busy.length >> 1 }, (_, at) => (busy[2 * at]! + busy[2 * at + 1]!) / 2),
    most,
    failed: new Set([...failed].map((slice) => slice >> 1)),
  });
  return {
    ...lanes,
    sliceMs: lanes.sliceMs * 2,
    lanes: lanes.lanes.map((lane) => (lane.profile ? { ...lane, profile: half(lane.profile) } : lane)),
  };
}

/** The kernel's own thread (or Python's) on top, then `thread 2` before `thread 10`. */
function mainFirst(a: { name: string }, b: { name: string }): number {
  return Number(isMain(b)) - Number(isMain(a)) || inOrder.compare(a.name, b.name);
}

function isMain({ name }: { name: string }): boolean {
  return /^main\b|^MainThread$/.test(name);
}
