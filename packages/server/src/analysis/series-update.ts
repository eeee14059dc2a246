/** The record of a series changes with its `.mdoc` file. */
import { applyMdoc, type MdocSummary } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { ANALYSIS_JOB } from '../analysis-job.ts';
import type { Database } from '../db/database.ts';
import { findJob } from '../db/jobs.ts';
import { setKind } from '../db/library/rows.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_UPDATED } from '../events/event.ts';
import type { Emit } from '../events/outbox.ts';
import { fileEvent } from '../files/file-event.ts';
import type { FileContext } from '../files/files.ts';
import { toFileRecord } from '../files/record.ts';
import { findSeries, findSidecar } from '../files/sidecars.ts';
import { analyzeAgain } from './analyze-again.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

/**
 * Emits the new record of the series of an `.mdoc` file, which was read or deleted in this transaction. A series that is,
 * or was, a tilt series only by this file is analyzed again. The transaction holds the lock of the owner, so that no
 * analysis of the series is recorded meanwhile.
 */
export async function updateSeries(
  context: Pick<FileContext, 'newId' | 'now'>,
  tx: Database,
  emit: Emit,
  sidecar: FileRow,
): Promise<void> {
  // A deletion asks for every file.
  if (sidecar.mdoc === null) return;
  const series = await findSeries(tx, sidecar);
  const own = series && toFileRecord(series, null).mrc;
  if (!own) return;
  const summary = await findSidecar(tx, series);
  const mrc = summary ? applyMdoc(own, summary) : own;
  await setKind(tx, series.id, mrc.kind);
  await emit(fileEvent(FILE_UPDATED, series, context.now(), { mrc }));
  const bySidecar = applyMdoc(own, JSON.parse(sidecar.mdoc) as MdocSummary);
  if (series.statistics === null || ![mrc, bySidecar].some(isSeriesByMdoc)) return;
  // An analysis that is not recorded yet looks for the `.mdoc` file itself.
  const job = await findJob(tx, series.id, ANALYSIS_JOB);
  if (job?.status !== 'waiting') await analyzeAgain(context, tx, series);
}

function isSeriesByMdoc({ kind, tilts }: Mrc): boolean {
  return kind === 'tilt_series' && tilts?.source === 'mdoc';
}
