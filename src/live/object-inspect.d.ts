declare module 'object-inspect' {
  /** The text of a value, as Node prints it. */
  export default function inspect(
    value: unknown,
    options?: { depth?: number; quoteStyle?: 'single' | 'double' },
  ): string;
}
