/** Sends one part to the object storage, and says what its answer means. */
import type { SignedPart } from '../api/api.ts';
import type { Transport, WireRequest } from '../ports.ts';

const MAX_REPLY_BYTES = 64 * 1024;
/** Set by the connection itself. */
const OF_CONNECTION = ['content-length', 'host'];

/**
 * `taken`: the storage has the part; without an ETag, a browser may not read it. `expired`: the URL is not valid any
 * more. `damaged`: other bytes arrived than were signed, or not all. `busy`: it may take the part later. `refused`: it
 * does not take the part, or (`gone`) does not know the upload.
 */
export type PutOutcome =
  | { readonly kind: 'taken'; readonly etag: string | null }
  | { readonly kind: 'expired' | 'damaged' | 'busy' | 'refused' | 'gone'; readonly reason: string };

/** @throws ConnectionError, SourceError. */
export async function putDirect(
  transport: Transport,
  { url, headers }: SignedPart,
  request: Pick<WireRequest, 'body' | 'onSent' | 'signal'>,
): Promise<PutOutcome> {
  const { pathname, search } = new URL(url);
  const sent = Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name.toLowerCase()));
  const reply = await transport.send({
    ...request,
    method: 'PUT',
    path: pathname + search,
    headers: Object.fromEntries(sent),
    maxReplyBytes: MAX_REPLY_BYTES,
  });
  const { status } = reply;
  if (status >= 200 && status < 300) return { kind: 'taken', etag: reply.headers.etag ?? null };
  const reason = `the object storage answers ${status}${codeOf(reply.body)}`;
  if (status === 403) return { kind: 'expired', reason };
  if (status === 404) return { kind: 'gone', reason };
  if (status === 400) return { kind: 'damaged', reason };
  return { kind: status >= 500 || status === 408 || status === 429 ? 'busy' : 'refused', reason };
}

/** The code in the XML of an error. */
function codeOf(body: Uint8Array): string {
  const code = /<Code>(\w{1,64})<\/Code>/.exec(new TextDecoder().decode(body))?.[1];
  return code === undefined ? '' : ` (${code})`;
}
