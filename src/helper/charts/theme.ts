/** Looks that hold on a light and on a dark page. */

/**
 * Okabe and Ito's colours, which people with any kind of colour blindness can tell apart ("Color Universal Design",
 * 2008), without black and yellow, which are lost on a dark or on a light page.
 */
export const PALETTE: readonly string[] = [
  '#0072B2', // blue
  '#E69F00', // orange
  '#009E73', // bluish green
  '#CC79A7', // reddish purple
  '#56B4E9', // sky blue
  '#D55E00', // vermillion
];

/** For what went wrong, beside a shape that says so too. */
export const ALARM = '#D55E00';
/** Lines and fills behind the data, drawn with little opacity. */
export const NEUTRAL = '#808080';

export const FONT = 'system-ui, sans-serif';
export const LABEL_SIZE = 12;
export const TITLE_SIZE = 14;

/** Width in pixels when none is asked for: a blog's column. */
export const WIDTH = 600;

/**
 * In every spec. Text colours and the background behind them are left to the viewer together: JupyterLab gives Vega white
 * text on grey in its dark theme, black on white in its light one, and doesn't draw again when its theme changes.
 */
export const config = {
  font: FONT,
  // The picture has one description; one for each of a thousand blocks would triple its size.
  aria: false,
  view: { stroke: null },
  axis: {
    labelFontSize: LABEL_SIZE,
    titleFontSize: LABEL_SIZE,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelPadding: 6,
    gridColor: NEUTRAL,
    gridOpacity: 0.25,
    domainColor: NEUTRAL,
    tickColor: NEUTRAL,
    tickSize: 4,
  },
  legend: {
    labelFontSize: LABEL_SIZE,
    titleFontSize: LABEL_SIZE,
    titleFontWeight: 'normal',
    labelLimit: 240,
  },
  title: {
    anchor: 'start',
    frame: 'bounds',
    fontSize: TITLE_SIZE,
    subtitleFontSize: LABEL_SIZE,
    subtitlePadding: 5,
    offset: 12,
  },
  text: { fontSize: LABEL_SIZE },
};

/**
 * For text marks: takes the viewer's colour for axis labels, which Vega-Lite gives to no text mark by itself (it makes
 * them black, unreadable in a dark JupyterLab). `filled: false` keeps Vega-Lite from setting the fill; Vega then takes it
 * from the style.
 */
export const THEME_TEXT = {
  type: 'text',
  style: 'guide-label',
  filled: false,
  stroke: null,
  fontSize: LABEL_SIZE,
};

/** Readable on white (4.5:1) and on near-black (4.2:1): an SVG doesn't know the page it will stand on. */
export const NEUTRAL_TEXT = '#767676';

/** For the SVG, whose text colour (see svg.ts) and background are the page's. */
export const svgConfig = {
  background: 'transparent',
  style: {
    'guide-label': { fill: 'currentColor' },
    'guide-title': { fill: 'currentColor' },
    'group-title': { fill: 'currentColor' },
    'group-subtitle': { fill: 'currentColor' },
  },
};

/** Black or white, whichever is easier to read on `color`. */
export function textOn(color: string): '#000' | '#fff' {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return '#fff';
  const channels = [0, 2, 4].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  // WCAG 2's relative luminance; its contrast is equal for black and white at 0.179.
  const luminance = 0.2126 * channels[0]! + 0.7152 * channels[1]! + 0.0722 * channels[2]!;
  return luminance > 0.179 ? '#000' : '#fff';
}

/** Told apart without colour, in the palette's order. */
export const SHAPES: readonly string[] = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
];

/** Lines are told apart without colour. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [10, 4],
  [4, 4],
  [1, 3],
];
