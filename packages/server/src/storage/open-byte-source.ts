/** Opens stored bytes of any storage for a worker thread. */
import type { ByteSource } from './byte-source.ts';
import { openZstdSource, parseZstdUrl } from './compressed/zstd-source.ts';
import { openFileSource } from './disk/file-source.ts';
import { openHttpSource } from './s3/http-source.ts';

/** @param url as `FileStorage.sourceUrl` and `PrefixReader.locate` give it. @throws an error with a code of the system. */
export async function openByteSource(url: string): Promise<ByteSource> {
  const compressed = parseZstdUrl(url);
  if (compressed) return await openZstdSource(await openByteSource(compressed.url), compressed.storedBytes);
  const { protocol } = new URL(url);
  if (protocol === 'file:') return openFileSource(url);
  if (protocol === 'http:' || protocol === 'https:') return openHttpSource(url);
  throw new Error(`no storage has URLs of ${protocol}`);
}
