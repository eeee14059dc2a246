/** Starts the upload of a copy: all limits of an upload hold for it, and its bytes are there already. */
import { pathOf } from '@cryolift/protocol/file-path';
import type { UploadState } from '@cryolift/protocol/states';
import type { Database } from '../database.ts';
import { resolveDataset } from '../datasets/opening.ts';
import { dialectOf } from '../dialect.ts';
import { findFile } from '../files.ts';
import type { FileRow, UploadRow } from '../tables.ts';
import {
  insertUploadRow,
  MAX_ENDED,
  type OpenOutcome,
  type OpenRequest,
  refuseUpload,
} from '../uploads/upload-opening.ts';
import { findSame, type Sameness } from './known-files.ts';

export type CopyOutcome =
  | Exclude<OpenOutcome, { kind: 'found' }>
  /** The same file is there. */
  | { kind: 'present'; file: FileRow }
  /** The same copy is being made. */
  | { kind: 'found'; row: UploadRow }
  /** The source was deleted meanwhile. */
  | { kind: 'file_not_found' }
  | { kind: 'file_damaged'; fault: NonNullable<FileRow['fault']> };

/**
 * Starts the upload of a copy, or finds what is there of it.
 *
 * @param asked its row is `verifying`, and has the id of its file and the source.
 * @param tx a separate transaction, so that concurrent calls agree.
 */
export async function openCopyRow(tx: Database, asked: OpenRequest): Promise<CopyOutcome> {
  const dialect = dialectOf(tx);
  await dialect.lock(tx, { owner: asked.row.owner });
  if (Number.isFinite(asked.freeBytes)) await dialect.lock(tx, 'space');
  const dataset = asked.dataset && ((await resolveDataset(tx, asked.row.owner, asked.dataset)) ?? null);
  if (asked.dataset && !dataset) return { kind: 'dataset_not_found' };
  const row = { ...asked.row, dataset_id: dataset?.id ?? null };
  const same = samenessOf(row);
  const present = await findSame(tx, same);
  if (present) return { kind: 'present', file: present };
  const found = await findCopyOf(tx, same);
  if (found) return { kind: 'found', row: found };
  const source = await findFile(tx, row.copied_from as string);
  if (!source) return { kind: 'file_not_found' };
  if (source.fault !== null) return { kind: 'file_damaged', fault: source.fault };
  const request = { ...asked, row };
  const open = await countCopies(tx, row.owner, 'verifying');
  if (open >= asked.maxOpen) return { kind: 'too_many_open', open };
  const ended = await countCopies(tx, row.owner, 'failed');
  if (ended >= MAX_ENDED) return { kind: 'too_many_ended', ended };
  const { refused, madeDataset } = await refuseUpload(tx, request, dataset);
  if (refused) return refused;
  await insertUploadRow(tx, row, madeDataset);
  return { kind: 'opened', row, madeDataset };
}

function samenessOf({ owner, filename, dataset_id, sha256, metadata }: UploadRow): Sameness {
  const path = pathOf(filename, JSON.parse(metadata) as Record<string, string>);
  return { owner, filename, dataset_id, sha256: sha256 as Uint8Array, path };
}

async function countCopies(db: Database, owner: string, status: UploadState): Promise<number> {
  const { copies } = await db
    .selectFrom('uploads')
    .select(({ fn }) => fn.countAll<number>().as('copies'))
    .where('owner', '=', owner)
    .where('status', '=', status)
    .where('copied_from', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(copies);
}

/** A copy that is being made. */
export async function findCopyOf(db: Database, same: Sameness): Promise<UploadRow | undefined> {
  const rows = await db
    .selectFrom('uploads')
    .selectAll()
    .where('owner', '=', same.owner)
    .where('status', '=', 'verifying')
    .where('copied_from', 'is not', null)
    .where('sha256', '=', same.sha256)
    .where('filename', '=', same.filename)
    .where('dataset_id', same.dataset_id === null ? 'is' : '=', same.dataset_id)
    .execute();
  return rows.find((row) => samenessOf(row).path === same.path);
}
