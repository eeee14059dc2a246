import { applyMdoc } from '@cryolift/mrc';
import type { Database } from '../db/database.ts';
import { setKind } from '../db/library/rows.ts';
import type { FileRow } from '../db/tables.ts';
import { toFileRecord } from './record.ts';
import { findSidecar } from './sidecars.ts';

/**
 * Records the kind that searches find a file by: that of its record, also of a tilt series that only its extended header
 * or its `.mdoc` file makes one. For use inside the transaction that has changed the row.
 */
export async function recordShownKind(tx: Database, row: FileRow): Promise<void> {
  const { mrc } = toFileRecord(row, null);
  if (!mrc) return;
  const sidecar = await findSidecar(tx, row);
  await setKind(tx, row.id, sidecar ? applyMdoc(mrc, sidecar).kind : mrc.kind);
}
