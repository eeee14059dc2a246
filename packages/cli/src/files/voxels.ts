/** Statistics and pictures of a local MRC file. */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cutName, naming, openRegularFile, retryWhileHeld } from '@cryolift/client/node';
import {
  compareStatistics,
  defaultPreviews,
  encodePng,
  type Finding,
  layoutOf,
  MRC_HEADER_BYTES,
  type MrcDescription,
  type MrcKind,
  type MrcOverrides,
  type PreviewRequest,
  parseHeader,
  renderPreview,
  type SignednessDecision,
  settleLayout,
  VoxelAnalysis,
  type VoxelLayout,
  type VoxelSource,
  type VoxelStatistics,
} from '@cryolift/mrc';

const CHUNK_BYTES = 4 * 1024 * 1024;
const PICTURE_PX = 1024;
/** The limit of most file systems. */
const MAX_NAME_BYTES = 255;

export interface Voxels {
  readonly statistics: VoxelStatistics;
  /** How the bytes of mode 0 were read; null for other modes. */
  readonly signedness: SignednessDecision | null;
  readonly findings: readonly Finding<string>[];
  /** The paths of the pictures that were written. */
  readonly pictures: readonly string[];
}

/**
 * Reads all voxels of a file once.
 *
 * @param folder where pictures are written; it is made when it is missing. Null: none.
 * @param description what the headers of the file say.
 * @returns null when the voxels cannot be read.
 * @throws SourceError, the system's errors, and `signal`'s reason.
 */
export async function surveyVoxels(
  path: string,
  folder: string | null,
  overrides: MrcOverrides,
  description: MrcDescription,
  signal: AbortSignal,
): Promise<Voxels | null> {
  if (folder !== null) await naming(folder, () => mkdir(folder, { recursive: true }));
  const { handle, stats } = await openRegularFile(path, signal);
  try {
    const { size } = stats;
    const source = sourceOf(handle, signal);
    const head = new Uint8Array(Math.min(MRC_HEADER_BYTES, size));
    await source.read(0, head);
    if (head.length < MRC_HEADER_BYTES) return null;
    const header = parseHeader(head, size);
    const said = layoutOf(header, size, overrides);
    if (!said) return null;
    const layout = await settleLayout(source, said);
    const kind = overrides.kind ?? description.kind.kind;
    const analysis = new VoxelAnalysis(layout, kind);
    const chunk = new Uint8Array(CHUNK_BYTES);
    const end = layout.dataOffset + layout.dataBytes;
    for (let at = layout.dataOffset; at < end; at += chunk.length) {
      const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
      await source.read(at, bytes);
      analysis.add(at, bytes);
    }
    const statistics = analysis.statistics();
    const shown = { ...description, kind };
    const pictures = folder === null ? [] : await writePictures(path, folder, source, layout, shown);
    return { statistics, signedness: layout.signedness, findings: compareStatistics(header, statistics), pictures };
  } finally {
    await handle.close();
  }
}

async function writePictures(
  path: string,
  folder: string,
  source: VoxelSource,
  layout: VoxelLayout,
  { header, kind, geometry, tilts }: Pick<MrcDescription, 'header' | 'geometry' | 'tilts'> & { kind: MrcKind },
): Promise<string[]> {
  const written: string[] = [];
  const filename = basename(path);
  for (const preview of defaultPreviews({ ...layout, kind, geometry, tilts }, filename)) {
    const request = { ...preview, sizePx: PICTURE_PX };
    const outcome = await renderPreview(source, header, layout, request);
    if (outcome.kind === 'refused') continue;
    const ending = `.${nameOf(request)}.png`;
    const target = join(folder, `${cutName(filename, MAX_NAME_BYTES - ending.length)}${ending}`);
    const png = await encodePng(outcome.picture);
    await naming(target, () => retryWhileHeld(() => writeFile(target, png)));
    written.push(target);
  }
  return written;
}

function nameOf({ kind, axis }: PreviewRequest): string {
  return kind === 'section' ? `section-${axis}` : kind;
}

function sourceOf(handle: FileHandle, signal: AbortSignal): VoxelSource {
  return {
    async read(offsetBytes, target) {
      signal.throwIfAborted();
      for (let done = 0; done < target.length; ) {
        const read = () => handle.read(target, done, target.length - done, offsetBytes + done);
        const { bytesRead } = await retryWhileHeld(read, signal);
        if (bytesRead === 0) throw new Error('the file has become shorter while it was read');
        done += bytesRead;
      }
    },
  };
}
