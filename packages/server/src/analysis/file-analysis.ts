/** Stores, records and emits the result of the analysis of a published MRC or TIFF file. */
import {
  applyKind,
  applyMdoc,
  completeSummary,
  EXTENDED_WARNINGS,
  hasFrames,
  isMdocName,
  isMrcName,
  type MrcSummary,
  summariseDecoded,
  TIFF_DATA_WARNINGS,
  type TiffSummary,
  type Tilts,
  VOXEL_WARNINGS,
} from '@cryolift/mrc';
import type { Finding } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { findFile, recordStatistics } from '../db/files.ts';
import { setKind } from '../db/library/rows.ts';
import type { FileRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { FILE_PREVIEW_READY } from '../events/event.ts';
import { fileEvent } from '../files/file-event.ts';
import type { FileContext } from '../files/files.ts';
import { overridesOf, toFilePlace, toFileRecord } from '../files/record.ts';
import { findSidecar } from '../files/sidecars.ts';
import { removeStored } from '../storage/removal.ts';
import { analyzeAgain } from './analyze-again.ts';
import { analyzeMdoc } from './mdoc-analysis.ts';
import { nameOf, toPreviewRequest } from './picture-request.ts';
import type { AnalysisResult } from './result.ts';
import { fileTarget } from './target.ts';

/** Warnings of an earlier analysis, which the next one replaces. */
const COMPUTED: readonly string[] = [...VOXEL_WARNINGS, ...EXTENDED_WARNINGS, ...TIFF_DATA_WARNINGS];

/** Analyzes a file, unless it was deleted meanwhile; safe to repeat. @throws what the storage throws. */
export async function analyzeFile(context: FileContext, fileId: string, signal: AbortSignal): Promise<void> {
  const row = await findFile(context.db, fileId);
  if (!row) return;
  if (isMdocName(row.filename)) {
    await analyzeMdoc(context, row);
    return;
  }
  // A gain reference of another format.
  if (!isMrcName(row.filename) && row.tiff === null) return;
  const tilts = await findTilts(context.db, row);
  const found = await context.analyzer
    .analyze(row.upload_id, { ...(await fileTarget(context.storage, toFilePlace(row))), tilts }, signal)
    .catch(async (error: unknown) => {
      if (await findFile(context.db, fileId)) throw error;
      return 'deleted' as const;
    });
  if (found === 'deleted') return;
  const { analyzed, damage } = found;
  const mrc = analyzed && complete(row, analyzed);
  const shown = mrc ?? (row.tiff === null ? null : summariseDecoded(JSON.parse(row.tiff) as TiffSummary));
  const pictures = shown && analyzed ? await keepPictures(context, row, shownAs(row, shown, tilts), analyzed) : [];
  const findings = damage === undefined ? (analyzed?.findings ?? []) : [{ code: 'data_damaged', message: damage }];
  betweenSteps('file.pictured');
  const isRecorded = await record(context, row, { analyzed, mrc, tilts, pictures, findings });
  // It was deleted meanwhile, perhaps before the pictures were stored.
  if (!isRecorded) await removeStored(context.storage, row.id);
}

/** What the record says of the header, with the extended header. Null when it says nothing. */
function complete(row: FileRow, { description }: AnalysisResult): MrcSummary | null {
  return row.mrc === null ? null : completeSummary(JSON.parse(row.mrc) as MrcSummary, description);
}

/** The tilt angles that the `.mdoc` file of a stack has. */
async function findTilts(db: Database, row: FileRow): Promise<Tilts | null> {
  const kind = toFileRecord(row, null).mrc?.kind;
  return kind && hasFrames(kind) ? ((await findSidecar(db, row))?.tilts ?? null) : null;
}

function shownAs({ metadata }: FileRow, mrc: MrcSummary, tilts: Tilts | null): MrcSummary {
  return applyMdoc(applyKind(mrc, JSON.parse(metadata) as Record<string, string>), { tilts });
}

/** @returns the kinds and names of those that the event lists. */
async function keepPictures(
  context: FileContext,
  row: FileRow,
  mrc: MrcSummary,
  analyzed: AnalysisResult,
): Promise<object[]> {
  const keep = async ({ request, png }: AnalysisResult['previews'][number]) => {
    const { kind, axis, slice, sizePx: size, contrast } = request;
    const exact = toPreviewRequest(mrc, row.filename, { kind, axis, slice: slice ?? undefined, size, contrast });
    await context.storage.previews.keep(row.id, nameOf(exact, toFilePlace(row)), png);
    return exact;
  };
  const shown = [];
  for (const picture of analyzed.previews) {
    const exact = await keep(picture);
    const { kind, axis, slice, sizePx: size } = exact;
    const section = kind === 'section' ? { axis, slice } : {};
    const query = Object.entries({ kind, ...section, size }).map(([name, value]) => `${name}=${value}`);
    shown.push({ kind, ...section, size, url: `/files/${row.id}/preview?${query.join('&')}` });
  }
  if (analyzed.thumbnail) await keep(analyzed.thumbnail);
  return shown;
}

interface Found {
  readonly analyzed: AnalysisResult | null;
  /** What the headers say, without the `.mdoc` file. */
  readonly mrc: MrcSummary | null;
  /** Those of the `.mdoc` file that the analysis has used. */
  readonly tilts: Tilts | null;
  readonly pictures: readonly object[];
  readonly findings: readonly Finding[];
}

/** @returns false when the file was deleted meanwhile. */
async function record(
  context: FileContext,
  row: FileRow,
  { analyzed, mrc, tilts, pictures, findings }: Found,
): Promise<boolean> {
  const found = findings.map(({ code, message }) => ({ code, message }));
  const known = (JSON.parse(row.warnings) as Finding[]).filter(({ code }) => !COMPUTED.includes(code));
  const statistics = analyzed && { ...analyzed.statistics, signedness: analyzed.signedness };
  return await context.outbox.transact(async (tx, emit) => {
    // No `.mdoc` file is recorded between this look and the commit.
    await dialectOf(tx).lock(tx, { owner: row.owner });
    // The signedness of mode 0 was changed meanwhile: another job analyzes the file again.
    const current = await findFile(tx, row.id);
    if (current && overridesOf(current).mode0 !== overridesOf(row).mode0) return true;
    const now = await recordStatistics(tx, row.id, {
      statistics: JSON.stringify(statistics),
      warnings: JSON.stringify([...known, ...found]),
      ...(mrc && { mrc: JSON.stringify(mrc) }),
    });
    if (!now) return false;
    const currentTilts = await findTilts(tx, now);
    const recorded = toFileRecord(now, null).mrc;
    if (recorded) await setKind(tx, now.id, applyMdoc(recorded, { tilts: currentTilts }).kind);
    if (!statistics) return true;
    if (JSON.stringify(currentTilts) !== JSON.stringify(tilts)) {
      // Its `.mdoc` file was read meanwhile: the pictures are those of a stack.
      await analyzeAgain(context, tx, now);
      return true;
    }
    // Those of each section may be long; `GET /files/{id}/statistics` has them.
    const { sections: _, ...brief } = statistics;
    const shown = mrc && { mrc: shownAs(now, mrc, tilts) };
    await emit(fileEvent(FILE_PREVIEW_READY, now, context.now(), { ...shown, statistics: brief, previews: pictures }));
    return true;
  });
}
