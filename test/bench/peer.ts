/** What piscina and tinypool run: one function, in a file, as they want it. */
export default function square(n: number): number {
  return n * n;
}
