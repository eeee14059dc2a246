/**
 * Reads the heads that the fast path accepts: a strict subset of RFC 9112, in which there is only one reading of where
 * the request ends. Node's parser on the standard path reads all other heads.
 */

/** A longer head goes to the standard path. */
export const MAX_HEAD_BYTES = 8 * 1024;

export type Head =
  /** The bytes so far are the beginning of a plain head. */
  | { kind: 'incomplete' }
  /** The head is not plain. */
  | { kind: 'other' }
  /** @property headBytes includes the blank line. @property bodyBytes the Content-Length, 0 without one. */
  | { kind: 'plain'; headBytes: number; bodyBytes: number; isRaw: boolean };

const OTHER: Head = { kind: 'other' };
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const REQUEST_LINE = new RegExp(`^(?:${METHODS.join('|')}) /[!-~]* HTTP/1\\.1$`);
/** Requests whose bodies may be large: parts, and bodies that are appended. Their routes read the body by themselves. */
const RAW_LINES = [
  /^PUT \/uploads\/[0-9A-Za-z_-]{1,64}\/part\/\d{1,6}(?:\?[!-~]*)? /,
  /^(?:POST|PATCH) \/tus(?:\/[0-9A-Za-z_-]{1,64})?(?:\?[!-~]*)? /,
  /^(?:POST|PUT|PATCH) \/resumable(?:[/?][!-~]*)? /,
];
/** No white space before the colon, no folding, printable ASCII only. */
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~]*)$/;
/** Fields that change how a message is framed, or what follows it. */
const FRAMING = new Set(['transfer-encoding', 'upgrade', 'trailer', 'te', 'proxy-connection', 'http2-settings']);
const LENGTH = /^ ?(0|[1-9]\d{0,14})$/;

/** @param bytes all that arrived since the last request. */
export function readHead(bytes: Buffer): Head {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 && bytes.length > MAX_HEAD_BYTES) return OTHER;
  if (end > MAX_HEAD_BYTES - 4) return OTHER;
  const whole = end >= 0;
  const lines = bytes.toString('latin1', 0, whole ? end : bytes.length).split('\r\n');
  const last = whole ? undefined : lines.pop();
  const [requestLine, ...fieldLines] = lines;
  if (requestLine === undefined) return mayBecomeRequestLine(last ?? '') ? { kind: 'incomplete' } : OTHER;
  if (!REQUEST_LINE.test(requestLine)) return OTHER;
  const bodyBytes = readFraming(fieldLines);
  if (bodyBytes === null) return OTHER;
  // A CR at the end may be the first half of a line end.
  if (last !== undefined) return /^[\t -~]*\r?$/.test(last) && !/^[\t ]/.test(last) ? { kind: 'incomplete' } : OTHER;
  return {
    kind: 'plain',
    headBytes: end + 4,
    bodyBytes: bodyBytes ?? 0,
    isRaw: RAW_LINES.some((line) => line.test(requestLine)),
  };
}

/** @returns Content-Length; undefined without one; null when these fields are not plain. */
function readFraming(lines: readonly string[]): number | undefined | null {
  let bodyBytes: number | undefined;
  for (const line of lines) {
    const [, name, value = ''] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined) return null;
    const lowerName = name.toLowerCase();
    if (FRAMING.has(lowerName)) return null;
    if (lowerName === 'content-length') {
      const digits = LENGTH.exec(value)?.[1];
      if (digits === undefined || bodyBytes !== undefined) return null;
      bodyBytes = Number(digits);
    } else if (lowerName === 'connection' && !/^ ?(keep-alive|close)$/i.test(value)) return null;
    else if (lowerName === 'expect' && !/^ ?100-continue$/i.test(value)) return null;
  }
  return bodyBytes;
}

function mayBecomeRequestLine(text: string): boolean {
  if (!/^[ -~]*\r?$/.test(text)) return false;
  return METHODS.some((method) => text.startsWith(`${method} /`) || `${method} /`.startsWith(text));
}
