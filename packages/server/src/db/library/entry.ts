/** The row of a file in the library. */
import { applyKind } from '@cryolift/mrc';
import { pathOf } from '@cryolift/protocol/file-path';
import type { Insertable } from 'kysely';
import type { FileRow, LibraryRow, Tables } from '../tables.ts';

export type LibraryEntry = Insertable<Omit<Tables['library'], 'id'>>;

/** Of the folder of a file: keys of indexes have to fit into a page of the database. */
const MAX_LEVELS = 32;
const MAX_FOLDER_BYTES = 1_000;
/** They end words, and PostgreSQL has no text with the first of them. */
const CONTROLS = /\p{Cc}/gu;

export function toEntry(file: Omit<FileRow, 'deleted_at'>): LibraryEntry {
  const metadata = JSON.parse(file.metadata) as Record<string, string>;
  const path = pathOf(file.filename, metadata);
  const mrc = file.mrc === null ? null : (JSON.parse(file.mrc) as Parameters<typeof applyKind>[0]);
  return {
    file_id: file.id,
    owner: file.owner,
    folder: folderOf(path),
    path,
    name: foldText(file.filename),
    size: file.size,
    created_at: file.created_at,
    kind: mrc === null ? kindOfTiff(file.tiff) : applyKind(mrc, metadata).kind,
    instrument: (metadata.instrument ?? file.instrument ?? '').replace(CONTROLS, ' '),
    text: toText(file.filename, path, file.instrument, metadata),
    dataset_id: file.dataset_id,
    ...dimensionsOf(file),
  };
}

/** Of the images in a file, pixels and their number. */
function dimensionsOf({ mrc, tiff }: Pick<FileRow, 'mrc' | 'tiff'>): Pick<LibraryRow, 'width' | 'height' | 'depth'> {
  const found = mrc ?? tiff;
  if (found === null) return { width: null, height: null, depth: null };
  const { nx, ny, nz, width = nx, height = ny, frames = nz } = JSON.parse(found) as Partial<Record<string, number>>;
  return { width: width ?? null, height: height ?? null, depth: frames ?? null };
}

/** '' for a file of another type. */
function kindOfTiff(tiff: string | null): string {
  return tiff === null ? '' : (JSON.parse(tiff) as { kind: string }).kind;
}

/** The folder of a clean path, or its longest ancestor within the limits. */
function folderOf(path: string): string {
  return withinLimits(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

/** A folder, or its longest ancestor within the limits. */
export function withinLimits(folder: string): string {
  const segments = folder.split('/').slice(0, MAX_LEVELS);
  while (Buffer.byteLength(segments.join('/')) > MAX_FOLDER_BYTES) segments.pop();
  return segments.join('/');
}

/** Texts that differ only in case or in the form of their characters become equal. */
export function foldText(text: string): string {
  return text.toWellFormed().normalize('NFC').toLowerCase().replace(CONTROLS, ' ');
}

/** No word of a search goes across its lines. */
function toText(
  filename: string,
  path: string,
  instrument: string | null,
  metadata: Readonly<Record<string, string>>,
): string {
  const pairs = Object.entries(metadata).flatMap(([key, value]) => (value === path ? [] : [`${key} ${value}`]));
  const name = path.endsWith(filename) ? [] : [filename];
  return [path, ...name, ...(instrument === null ? [] : [instrument]), ...pairs].map(foldText).join('\n');
}
