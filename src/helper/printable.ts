import { stripVTControlCharacters } from 'node:util';

/** Text that a terminal shows and doesn't obey: without what moves its cursor, writes over lines, or sets colours and titles. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\t\n]/gu, '\ufffd');
}
