/** Reads a published `.mdoc` file, and records what it says. */
import { decodeMdoc, MAX_MDOC_BYTES, type MdocSummary, parseMdoc, summariseMdoc } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Finding } from '@cryolift/protocol/messages';
import { type NamedByMdoc, replaceNamed } from '../db/datasets/expected.ts';
import { dialectOf } from '../db/dialect.ts';
import { recordMdoc } from '../db/files.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_UPDATED } from '../events/event.ts';
import { fileEvent } from '../files/file-event.ts';
import { assertNotDeleted, type FileContext } from '../files/files.ts';
import { toFilePlace } from '../files/record.ts';
import { updateSeries } from './series-update.ts';

/** The warnings of this file, which a later reading replaces. */
const COMPUTED: readonly string[] = ['mdoc_too_large', 'mdoc_empty', 'mdoc_cut'];

/** Safe to repeat. @throws what the storage throws. */
export async function analyzeMdoc(context: FileContext, row: FileRow): Promise<void> {
  const summary = row.size > MAX_MDOC_BYTES ? null : await read(context, row);
  if (summary === 'deleted') return;
  const findings = judge(row, summary);
  const known = (JSON.parse(row.warnings) as Finding[]).filter(({ code }) => !COMPUTED.includes(code));
  await context.outbox.transact(async (tx, emit) => {
    // No analysis of the series is recorded between the look at it and the commit.
    await dialectOf(tx).lock(tx, { owner: row.owner });
    const now = await recordMdoc(tx, row.id, {
      mdoc: summary && JSON.stringify(summary),
      mdoc_image: summary?.image_file ?? null,
      warnings: JSON.stringify([...known, ...findings]),
    });
    if (!now) return;
    await replaceNamed(tx, now, summary && toNamed(summary));
    await emit(fileEvent(FILE_UPDATED, now, context.now()));
    if (summary) await updateSeries(context, tx, emit, now);
  });
}

function toNamed({ frames, references, image_file: imageFile, sections, describes }: MdocSummary): NamedByMdoc {
  return { frames, references, imageFile: describes === 'series' ? imageFile : null, sections };
}

async function read(context: FileContext, row: FileRow): Promise<MdocSummary | 'deleted'> {
  if (row.size === 0) return summariseMdoc(parseMdoc(''));
  const stream = await context.storage.files.read(toFilePlace(row), { start: 0, end: row.size - 1 });
  if (!stream) {
    const isDeleted = await assertNotDeleted(context, row.id).then(
      () => false,
      () => true,
    );
    if (isDeleted) return 'deleted';
    throw new UploadError('storage_unavailable', 'The bytes of this file are missing.');
  }
  return summariseMdoc(parseMdoc(decodeMdoc(Buffer.concat((await stream.toArray()) as Buffer[]))));
}

function judge({ size }: FileRow, summary: MdocSummary | null): Finding[] {
  if (!summary) {
    const message = `The .mdoc file has ${size} bytes; files above ${MAX_MDOC_BYTES} bytes are not read.`;
    return [{ code: 'mdoc_too_large', message }];
  }
  if (summary.sections === 0) {
    return [{ code: 'mdoc_empty', message: 'The .mdoc file has no [ZValue] and no [FrameSet] section.' }];
  }
  if (!summary.is_cut) return [];
  return [{ code: 'mdoc_cut', message: 'The .mdoc file has more than is read; its values are not complete.' }];
}
