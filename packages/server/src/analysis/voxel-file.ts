/** Opens a stored file as an MRC file: one as it is, and a TIFF, BigTIFF or EER file decoded. */
import { setImmediate } from 'node:timers/promises';
import { type DecodedTiff, type MrcOverrides, mayBeTiff, openTiff, type VoxelSource } from '@cryolift/mrc';
import type { ByteSource } from '../storage/byte-source.ts';
import { openByteSource } from '../storage/open-byte-source.ts';
import type { AnalysisTarget } from './target.ts';

export interface VoxelFile {
  readonly source: ByteSource;
  /** Of the MRC file that it is read as. */
  readonly sizeBytes: number;
  readonly overrides: MrcOverrides | undefined;
  /** Null: an MRC file. */
  readonly decoded: DecodedTiff | null;
}

/** The EER movie that was decoded last: its pictures are of the same sum. */
let lastMovie: { readonly key: string; readonly decoded: DecodedTiff } | null = null;

/** @returns null for a TIFF file that is not decoded. @throws an error with a code of the system. */
export async function openVoxelFile(target: AnalysisTarget, signal?: AbortSignal): Promise<VoxelFile | null> {
  const { url, sizeBytes, filename, overrides } = target;
  if (!mayBeTiff(filename)) return { source: await openByteSource(url), sizeBytes, overrides, decoded: null };
  // Without the signature of a signed URL.
  const key = url.replace(/\?.*$/s, '');
  if (lastMovie?.key === key && lastMovie.decoded.frames) return toVoxelFile(lastMovie.decoded, async () => {});
  const stored = await openByteSource(url);
  const decoded = await openTiff(pacedSource(stored, signal), sizeBytes).catch(async (error: unknown) => {
    await stored.close();
    throw error;
  });
  if (!decoded) {
    await stored.close();
    return null;
  }
  if (decoded.tiff.eer) lastMovie = { key, decoded };
  return toVoxelFile(decoded, () => stored.close());
}

/** Reading lets other work of this thread come in between, and ends with `signal`. */
export function pacedSource(source: ByteSource, signal?: AbortSignal): VoxelSource {
  return {
    async read(offsetBytes, target) {
      signal?.throwIfAborted();
      await source.read(offsetBytes, target);
      await setImmediate();
    },
  };
}

function toVoxelFile(decoded: DecodedTiff, close: () => Promise<void>): VoxelFile {
  const { source, sizeBytes, overrides } = decoded;
  return { source: { read: (offset, target) => source.read(offset, target), close }, sizeBytes, overrides, decoded };
}

/** Of a file that could be opened before. */
export async function openAgain(target: AnalysisTarget): Promise<VoxelFile> {
  const file = await openVoxelFile(target);
  if (!file) throw new Error('the file is not what it was before');
  return file;
}
