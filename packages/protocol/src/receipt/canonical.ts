import canonicalize from 'canonicalize';

/** Canonical JSON (RFC 8785). @throws Error for what JSON cannot have, such as NaN and lone surrogates. */
export function canonicalJson(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
