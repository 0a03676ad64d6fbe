/**
 * How wide a text is drawn. Node has no canvas to measure with, and Vega's own estimate (0.8 em a character) is too
 * wide for Latin and too narrow for Korean, whose characters take 1 em each and were cut off.
 */

const NARROW = /[fijlrtI1.,:;'"`|!()[\]{}/\\ -]/;
const BROAD = /[mwMW@%×…]/;
/** Hangul, Han, kana and full-width forms, and pictures. */
const FULL =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

/** An upper estimate for the usual sans-serif fonts, in pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let em = 0;
  for (const character of text) {
    if (FULL.test(character)) em += 1.02;
    else if (NARROW.test(character)) em += 0.38;
    else if (BROAD.test(character)) em += 0.95;
    else if (/[A-Z]/.test(character)) em += 0.72;
    else em += 0.62;
  }
  return em * fontSize * (bold ? 1.08 : 1);
}

/** Where a line may end: after a space, but not between a figure and its unit. */
const BREAK = /(?<=\s)(?!(?:%|×|[µm]?s|min|h|MB)(?![\p{L}\d]))/u;

/** Breaks a text into lines of at most `width` pixels, at spaces where there are some. */
export function wrap(text: string, width: number, fontSize: number, bold = false): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(BREAK)) {
      if (line && textWidth(line + word.trimEnd(), fontSize, bold) > width) {
        lines.push(line.trimEnd());
        line = '';
      }
      // A single word that is too long, which is usual in Korean and in names, is broken anywhere.
      for (const character of word) {
        if (line && textWidth(line + character, fontSize, bold) > width) {
          lines.push(line);
          line = '';
        }
        line += character;
      }
    }
    lines.push(line.trimEnd());
  }
  return lines;
}
