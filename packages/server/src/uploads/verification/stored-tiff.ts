/** Walks through a TIFF, BigTIFF or EER file that is published and not recorded yet: its structure is in all of it. */
import { checkTiff, isTiff, isTiffName, mayBeTiff, type TiffCheck } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Finding } from '@cryolift/protocol/messages';
import type { FileRow, UploadRow } from '../../db/tables.ts';
import { betweenSteps } from '../../durable-step.ts';
import type { FilePlace } from '../../storage/places.ts';
import type { UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';
import { refusal } from '../parts/header-check.ts';
import { removeAssembled } from './assembled-bytes.ts';

const SIGNATURE_BYTES = 4;

/**
 * @returns what the record of the file gets by it.
 * @throws UploadError `invalid_tiff` when the data are not whole: the upload has failed then. `storage_unavailable`.
 */
export async function checkStoredTiff(
  context: UploadContext,
  row: UploadRow,
  place: FilePlace,
  requestId: string,
): Promise<Pick<FileRow, 'tiff' | 'warnings'>> {
  const check = await walk(context, place);
  if (!check) return { tiff: null, warnings: row.warnings };
  const { tiff, rejections, warnings } = check;
  if (rejections.length > 0 && row.force !== 1) {
    const error = refusal('invalid_tiff', rejections);
    const guard = context.attempts.guardExclusive(row.id);
    if (await failUpload(context, row, error, requestId, guard)) {
      betweenSteps('upload.failed');
      await removeAssembled(context, row, place);
    }
    throw error;
  }
  const found: readonly Finding[] = [...rejections, ...warnings];
  const earlier = (JSON.parse(row.warnings) as Finding[]).filter(({ code }) => !found.some((one) => one.code === code));
  return { tiff: tiff && JSON.stringify(tiff), warnings: JSON.stringify([...earlier, ...found]) };
}

/** Null: the file is of another type. */
async function walk({ storage }: UploadContext, place: FilePlace): Promise<TiffCheck | null> {
  const { filename, sizeBytes } = place;
  if (!mayBeTiff(filename)) return null;
  const read = async (offset: number, target: Uint8Array): Promise<void> => {
    const stream = await storage.files.read(place, { start: offset, end: offset + target.length - 1 });
    const bytes = stream && Buffer.concat((await stream.toArray()) as Buffer[]);
    if (bytes?.length !== target.length) {
      throw new UploadError('storage_unavailable', 'The stored bytes of this upload cannot be read.');
    }
    target.set(bytes);
  };
  if (!isTiffName(filename)) {
    if (sizeBytes < SIGNATURE_BYTES) return null;
    const start = new Uint8Array(SIGNATURE_BYTES);
    await read(0, start);
    if (!isTiff(start)) return null;
  }
  return await checkTiff({ read }, sizeBytes);
}
