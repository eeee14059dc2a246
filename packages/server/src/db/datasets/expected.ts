/** The files that a dataset is to have: a client has announced them, or a file of the dataset names them. */
import { type CompiledQuery, sql } from 'kysely';
import type { Database } from '../database.ts';
import { foldText } from '../library/entry.ts';
import type { FileRow, Tables } from '../tables.ts';

type ExpectedRow = Tables['expected'];

/** EPU writes one beside each movie, whose name begins with the same. */
const EPU_EXPOSURE = /^(FoilHole_.*_Data_.*)\.xml$/i;
/** Rows per statement. */
const BATCH = 500;

/** What an `.mdoc` file names. */
export interface NamedByMdoc {
  readonly frames: readonly string[];
  readonly references: readonly string[];
  readonly imageFile: string | null;
  readonly sections: number;
}

/** What the name of a file says of another one, for a unit that publishes it. */
export function expectedInserts(db: Database, file: FileRow): CompiledQuery[] {
  const [, stem] = EPU_EXPOSURE.exec(file.filename) ?? [];
  if (file.dataset_id === null || stem === undefined) return [];
  const row = draft(file, 'stem', foldText(stem), `${stem}*`);
  return [
    db
      .insertInto('expected')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .compile(),
  ];
}

/** Replaces what an `.mdoc` file names. For use inside a transaction. */
export async function replaceNamed(tx: Database, file: FileRow, named: NamedByMdoc | null): Promise<void> {
  if (file.dataset_id === null) return;
  await forgetNamedBy(tx, [file.id]);
  if (!named) return;
  const names = new Set([...named.frames, ...named.references].map((name) => name.slice(0, 255)));
  const rows = [...names].map((name) => draft(file, 'name', foldText(name), name));
  if (named.imageFile !== null) {
    const series = draft(file, 'series', foldText(named.imageFile), named.imageFile);
    rows.push({ ...series, sections: named.sections });
  }
  for (let from = 0; from < rows.length; from += BATCH) {
    await tx
      .insertInto('expected')
      .values(rows.slice(from, from + BATCH))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

function draft(file: FileRow, how: ExpectedRow['how'], sought: string, path: string): ExpectedRow {
  const dataset_id = file.dataset_id as string;
  return { dataset_id, source: file.id, how, sought, path, size: null, sha256: null, sections: null };
}

/** For use inside the transaction that marks these files as deleted. */
export async function forgetNamedBy(tx: Database, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length > 0) await tx.deleteFrom('expected').where('source', 'in', fileIds).execute();
}

/**
 * Adds files that a client announces; a path that was announced before gets the new size and digest. For use inside a
 * transaction that has locked the row of the dataset. @returns how many are announced now.
 */
export async function announce(
  tx: Database,
  datasetId: string,
  files: readonly { path: string; size: number | null; sha256: Uint8Array | null }[],
): Promise<number> {
  const rows = files.map((file): ExpectedRow => {
    return { dataset_id: datasetId, source: '', how: 'path', sought: file.path, sections: null, ...file };
  });
  for (let from = 0; from < rows.length; from += BATCH) {
    await tx
      .insertInto('expected')
      .values(rows.slice(from, from + BATCH))
      .onConflict((conflict) =>
        conflict.columns(['dataset_id', 'source', 'how', 'sought']).doUpdateSet(({ ref }) => ({
          size: ref('excluded.size'),
          sha256: ref('excluded.sha256'),
        })),
      )
      .execute();
  }
  return await countAnnounced(tx, datasetId);
}

/**
 * Removes what a client has announced. For use inside a transaction that has locked the row of the dataset.
 *
 * @param paths null: all. Others than announced ones are passed over. @returns how many are announced now.
 */
export async function withdraw(tx: Database, datasetId: string, paths: readonly string[] | null): Promise<number> {
  const announced = tx.deleteFrom('expected').where('dataset_id', '=', datasetId).where('source', '=', '');
  if (paths === null) await announced.execute();
  for (let from = 0; paths !== null && from < paths.length; from += BATCH) {
    await announced
      .where('how', '=', 'path')
      .where('sought', 'in', paths.slice(from, from + BATCH))
      .execute();
  }
  return await countAnnounced(tx, datasetId);
}

async function countAnnounced(tx: Database, datasetId: string): Promise<number> {
  const { count } = await tx
    .selectFrom('expected')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('dataset_id', '=', datasetId)
    .where('source', '=', '')
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('datasets')
    .set({ announced: Number(count) })
    .where('id', '=', datasetId)
    .execute();
  return Number(count);
}

/** Removes rows of a dataset that is being deleted. @returns how many; fewer than `limit`: none are left. */
export async function forgetExpected(db: Database, datasetId: string, limit: number): Promise<number> {
  const { rows } = await sql<{ path: string }>`
    select path from expected where dataset_id = ${datasetId} order by path limit ${limit}`.execute(db);
  const last = rows.at(-1);
  if (!last) return 0;
  await db.deleteFrom('expected').where('dataset_id', '=', datasetId).where('path', '<=', last.path).execute();
  return rows.length;
}
