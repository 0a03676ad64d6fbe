/** A number as people read it: three significant digits, without trailing zeros: 51.3, 1.04, 0.5; whole from 1,000 on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(+value.toPrecision(3));
}
