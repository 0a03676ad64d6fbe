/**
 * Takes secrets out of text before it becomes an error, a record, a chart, a log or a page: those are stored in notebooks and end
 * on blogs. It works on text, after `inspect`: so it sees a header in an object, a Map, a list of pairs or a sentence alike.
 */

/** Names whose value is a secret, by one of their words: `x-api-key`, `accessToken`, `X-Amz-Signature`. */
const SECRET_WORDS =
  /^(authorization|cookie|password|passwd|pwd|passphrase|secret|token|signature|sig|credentials?)$/;
/** Such words written together. */
const COMPOUND =
  /(password|secret|token|signature|passphrase)$|^(api|access|auth|private|secret|client|session|app|subscription)key$/;
/** `key` alone is a secret in an address, but a common name of a field. */
const BEFORE_KEY =
  /^(api|access|auth|private|secret|client|session|app|subscription|account|shared|license)$/;

/** Whether what stands under this name is a secret. */
export function isSecret(name: string, inAddress: boolean): boolean {
  const parts = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter(Boolean);
  return parts.some(
    (part, at) =>
      SECRET_WORDS.test(part) ||
      COMPOUND.test(part) ||
      (part === 'key' && (inAddress || BEFORE_KEY.test(parts[at - 1] ?? ''))),
  );
}

// All of them read text in linear time: what may repeat is bounded, or taken whole.

/** `//user:password@`; a password for Redis may hold slashes. */
const USER_INFO = /\b(rediss?:\/\/)[^\s'"`]{0,500}@|\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s'"`/?#]{0,500}@/gi;
const QUERY = /([?&#;])([\w.~%[\]-]{1,100})=(?!…)([^\s&#;'"`<>]*)/g;
/** To its end, or to the text's end. */
const QUOTED = ["'", '"', '`'].map((quote) => `${quote}(?:[^${quote}\\\\]|\\\\.)*(?:${quote}|$)`).join('|');
/** `name: 'value'`, `'name' => 'value'`, `['name', 'value']`, `"name":"value"`; the name is quoted or not. */
const FIELD = new RegExp(
  `(?<![\\w.-])([\\w.-]{1,100})(["'\`]?)(\\s{0,10}(?::|=>|=)\\s{0,10}|(?<=["'\`]),\\s{0,10})(\\[\\s?)?(${QUOTED}|-?[\\d.]+n?)`,
  'gs',
);
/** A header as it is written on the wire. Words alone are prose: "a basic idea". */
const SCHEME =
  /\b(Bearer|Basic|Digest|Negotiate)\s{1,10}(?=[\w.~+/=-]{0,200}[\d+/=_~]|[\w.-]{20})[\w.~+/=-]+/gi;

/** The text with `…` in the place of passwords, tokens, keys and signatures. */
export function redacted(text: string): string {
  return text
    .replace(USER_INFO, (_, redis = '', other = '') => `${redis}${other}…@`)
    .replace(QUERY, (all, before: string, name: string, value: string) =>
      value !== '' && isSecret(name, true) ? `${before}${name}=…` : all,
    )
    .replace(FIELD, (all, name: string, quote: string, between: string, open = '') =>
      isSecret(name, false) ? `${name}${quote}${between}${open}'…'` : all,
    )
    .replace(SCHEME, '$1 …');
}
