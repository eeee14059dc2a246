/** Reads a published `.mdoc` file, and records what it says. */
import {
  decodeMdoc,
  MAX_MDOC_BYTES,
  type MdocNames,
  type MdocSummary,
  namesInMdoc,
  parseMdoc,
  summariseMdoc,
} from '@cryolift/mrc';
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
const COMPUTED: readonly string[] = ['mdoc_too_large', 'mdoc_empty', 'mdoc_cut', 'mdoc_names_cut'];

/** What the record shows of a file, which is bounded, and all that it names. */
interface Read {
  readonly summary: MdocSummary;
  readonly names: MdocNames;
}

const CUT: Finding = {
  code: 'mdoc_cut',
  message: 'The .mdoc file has more than is read; its values are not complete.',
};

/** Safe to repeat. @throws what the storage throws. */
export async function analyzeMdoc(context: FileContext, row: FileRow): Promise<void> {
  const content = row.size > MAX_MDOC_BYTES ? null : await read(context, row);
  if (content === 'deleted') return;
  const summary = content?.summary ?? null;
  const findings = findingsOf(row, content);
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
    await replaceNamed(tx, now, content && toNamed(content));
    await emit(fileEvent(FILE_UPDATED, now, context.now()));
    if (summary) await updateSeries(context, tx, emit, now);
  });
}

function toNamed({ names, summary: { image_file, describes } }: Read): NamedByMdoc {
  return { ...names, imageFile: describes === 'series' ? image_file : null };
}

async function read(context: FileContext, row: FileRow): Promise<Read | 'deleted'> {
  if (row.size === 0) return toRead('');
  const stream = await context.storage.files.read(toFilePlace(row), { start: 0, end: row.size - 1 });
  if (!stream) {
    const isDeleted = await assertNotDeleted(context, row.id).then(
      () => false,
      () => true,
    );
    if (isDeleted) return 'deleted';
    throw new UploadError('storage_unavailable', 'The bytes of this file are missing.');
  }
  return toRead(decodeMdoc(Buffer.concat((await stream.toArray()) as Buffer[])));
}

function toRead(text: string): Read {
  return { summary: summariseMdoc(parseMdoc(text)), names: namesInMdoc(text) };
}

function findingsOf({ size }: FileRow, content: Read | null): Finding[] {
  if (!content) {
    const message = `The .mdoc file has ${size} bytes; files above ${MAX_MDOC_BYTES} bytes are not read.`;
    return [{ code: 'mdoc_too_large', message }];
  }
  const { summary, names } = content;
  if (summary.sections === 0) {
    return [{ code: 'mdoc_empty', message: 'The .mdoc file has no [ZValue] and no [FrameSet] section.' }];
  }
  return [
    ...(summary.is_cut ? [CUT] : []),
    ...(names.isCut ? [{ code: 'mdoc_names_cut', message: 'A name in the .mdoc file is too long to be read.' }] : []),
  ];
}
