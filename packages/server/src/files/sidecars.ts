/**
 * Links `.mdoc` files and their series. Nothing of a link is stored: the order of arrival, deletions and files of the
 * same name need no care. Both have the same owner and the same folder (`metadata.path`).
 */
import { applyMdoc, isMdocName, isMrcName, type MdocSummary } from '@cryolift/mrc';
import type { FileMdoc, FileRecord, Finding } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { listAbsent, listNamed, listNaming } from '../db/named-files.ts';
import type { FileRow } from '../db/tables.ts';
import { type StoredFile, toStoredFile } from './stored-file.ts';

/** Files of the same name that are considered, newest first. */
const MAX_SAME = 1_000;
/** A series without an extension in the name of its `.mdoc` file. */
const SERIES_EXTENSIONS: readonly string[] = ['.mrc', '.st', '.mrcs'];

/** The files, with their `mdoc` and what it says of a series. @param rows of one owner. */
export async function linkFiles(db: Database, rows: readonly FileRow[]): Promise<StoredFile[]> {
  const owner = rows[0]?.owner;
  if (owner === undefined) return [];
  const sidecars = rows.filter(({ mdoc }) => mdoc !== null);
  const images = rows.filter(({ mrc }) => mrc !== null);
  const [series, byName, byImage] = [
    await listNamed(db, owner, [...new Set(sidecars.flatMap(seriesNames))], MAX_SAME),
    await listNamed(db, owner, [...new Set(images.flatMap(sidecarNames))], MAX_SAME),
    await listNaming(db, owner, [...new Set(images.map(({ filename }) => filename))], MAX_SAME),
  ];
  return rows.map((row) => {
    const file = toStoredFile(row);
    if (row.mdoc !== null) return linked(file, row, pick(row, seriesNames(row), series));
    if (row.mrc === null) return file;
    const sidecar = pickSidecar(row, byName, byImage);
    return sidecar ? linked(file, sidecar, row) : file;
  });
}

/** As `linkFiles`, for one file; also says which movies are missing, and what the sections of the `.mdoc` file have. */
export async function linkFile(db: Database, row: FileRow): Promise<StoredFile> {
  const [file] = (await linkFiles(db, [row])) as [StoredFile];
  const { mdoc } = file.record;
  if (!mdoc) return file;
  const missing_frames = await listAbsent(db, row.owner, mdoc.frames);
  const sidecar = await findSidecarRow(db, row);
  const { section_pairs, section_pairs_cut } = sidecar ? summaryOf(sidecar) : ({} as Partial<MdocSummary>);
  const pairs = section_pairs && ({ section_pairs, section_pairs_cut } as Pick<FileMdoc, 'section_pairs'>);
  return { ...file, record: { ...file.record, mdoc: { ...mdoc, missing_frames, ...pairs } } };
}

/** What the `.mdoc` file of an image says; null without one. */
export async function findSidecar(db: Database, row: FileRow): Promise<MdocSummary | null> {
  const sidecar = await findSidecarRow(db, row);
  return sidecar ? summaryOf(sidecar) : null;
}

/** The `.mdoc` file of an image, or the file itself. */
async function findSidecarRow(db: Database, row: FileRow): Promise<FileRow | undefined> {
  if (row.mdoc !== null) return row;
  const byName = await listNamed(db, row.owner, sidecarNames(row), MAX_SAME);
  return pickSidecar(row, byName, await listNaming(db, row.owner, [row.filename], MAX_SAME));
}

function summaryOf({ mdoc }: FileRow): MdocSummary {
  return JSON.parse(mdoc as string) as MdocSummary;
}

/** The series of an `.mdoc` file. */
export async function findSeries(db: Database, row: FileRow): Promise<FileRow | undefined> {
  return pick(row, seriesNames(row), await listNamed(db, row.owner, seriesNames(row), MAX_SAME));
}

/** @param series undefined: it is not here. */
function linked(file: StoredFile, sidecar: FileRow, series: FileRow | undefined): StoredFile {
  const summary = summaryOf(sidecar);
  // Lists would be long with them.
  const { section_pairs: _, section_pairs_cut: __, ...brief } = summary;
  const mrc = series && toStoredFile(series).record.mrc;
  const mdoc: FileMdoc = {
    ...(brief as Omit<FileMdoc, 'file_id' | 'filename' | 'series' | 'warnings'>),
    file_id: sidecar.id,
    filename: sidecar.filename,
    series: series ? { file_id: series.id, filename: series.filename, sections: mrc?.nz ?? null } : null,
    warnings: compare(summary, mrc ?? null),
  };
  const own = file.record.mrc;
  return { ...file, record: { ...file.record, mdoc, mrc: own && applyMdoc(own, summary) } };
}

/** Relative difference of pixel sizes that is said. */
const TOLERANCE = 0.01;

function compare(summary: MdocSummary, mrc: FileRecord['mrc']): Finding[] {
  if (!mrc || summary.describes === 'frames') return [];
  const findings: Finding[] = [];
  if (summary.sections !== mrc.nz) {
    const message = `The .mdoc file has ${summary.sections} sections, and the series has ${mrc.nz}.`;
    findings.push({ code: 'mdoc_sections_differ', message });
  }
  const edge = mrc.voxel_size?.[0];
  const { pixel_size } = summary;
  if (edge && pixel_size && Math.abs(edge - pixel_size) > TOLERANCE * pixel_size) {
    const message = `The pixel size is ${pixel_size} Å by the .mdoc file, and ${edge} Å by the series.`;
    findings.push({ code: 'mdoc_pixel_size_differs', message });
  }
  return findings;
}

/** The names that the series of an `.mdoc` file may have, the most certain first. */
function seriesNames({ filename, mdoc_image }: FileRow): string[] {
  const base = filename.slice(0, -'.mdoc'.length);
  const named = isMrcName(base) ? [base] : [base, ...SERIES_EXTENSIONS.map((extension) => `${base}${extension}`)];
  return mdoc_image === null ? named : [...named, mdoc_image];
}

/** The names that the `.mdoc` file of a series may have by its own name. */
function sidecarNames({ filename }: FileRow): string[] {
  const dot = filename.lastIndexOf('.');
  const stem = dot > 0 ? [`${filename.slice(0, dot)}.mdoc`] : [];
  return isMdocName(filename) ? [] : [`${filename}.mdoc`, ...stem];
}

/** @param byName files with a name that the `.mdoc` file may have. @param byImage those that name the image. */
function pickSidecar(row: FileRow, byName: readonly FileRow[], byImage: readonly FileRow[]): FileRow | undefined {
  const readable = byName.filter(({ mdoc }) => mdoc !== null);
  const naming = (other: FileRow) => other.mdoc_image === row.filename && folderOf(other) === folderOf(row);
  return pick(row, sidecarNames(row), readable) ?? byImage.find(naming);
}

/** The newest file in the same folder with the first of the names that there is. */
function pick(row: FileRow, names: readonly string[], candidates: readonly FileRow[]): FileRow | undefined {
  const folder = folderOf(row);
  const near = candidates.filter((other) => other.id !== row.id && folderOf(other) === folder);
  for (const name of names) {
    const found = near.find(({ filename }) => filename === name);
    if (found) return found;
  }
  return undefined;
}

/** The folder part of `metadata.path`; '' without one. */
function folderOf({ metadata, filename }: FileRow): string {
  const { path } = JSON.parse(metadata) as Record<string, string | undefined>;
  return path?.endsWith(filename) ? path.slice(0, -filename.length) : '';
}
