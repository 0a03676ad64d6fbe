import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  deflate: inflateEither,
} as const;

/** `deflate` means zlib's format, but some servers send the bare one. */
async function inflateEither(bytes: Buffer, options: { maxOutputLength: number }): Promise<Buffer> {
  const isZlib = (bytes[0]! & 0x0f) === 8;
  return promisify(isZlib ? inflate : inflateRaw)(bytes, options);
}

/**
 * Undoes a `content-encoding`, such as `gzip` or `gzip, br`. What is cut short or damaged throws.
 * @param maxBytes of the decoded body
 */
export async function decode(raw: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const maxOutputLength = Math.max(1, Math.min(maxBytes, 2 ** 31 - 1));
  let bytes = raw;
  if (raw.length === 0) return raw; // HEAD, 204, 304
  for (const name of encoding.toLowerCase().split(',').reverse()) {
    const decoder = DECODERS[name.trim() as keyof typeof DECODERS];
    // `identity`, or one that was not asked for: the body is handed on as it is.
    if (decoder) bytes = await decoder(bytes, { maxOutputLength });
  }
  return bytes;
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i;
const UTF_8 = /^utf-?8$/i;

/** Text in the character set that the content type names, else UTF-8, without a byte order mark. */
export function toText(bytes: Buffer, contentType: string | undefined): string {
  const charset = CHARSET.exec(contentType ?? '')?.[1] ?? 'utf-8';
  if (UTF_8.test(charset) && bytes[0] !== 0xef) return bytes.toString('utf8');
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes); // a character set that nobody knows
  }
}
