/** What was expected of a dataset, compared with what has arrived. */
import { type RawBuilder, sql } from 'kysely';
import { ANALYSIS_JOB } from '../../analysis-job.ts';
import { takeTurns } from '../../yielding.ts';
import type { Database } from '../database.ts';
import { LAST } from '../library/query.ts';

/** Whether a row `e` of `expected` is there as it is expected. */
const PRESENT = sql<boolean>`case e.how
  when 'path' then exists (
    select 1 from library l where l.dataset_id = e.dataset_id and l.path = e.sought
      and (e.size is null or l.size = e.size)
      and (e.sha256 is null or exists (select 1 from files f where f.id = l.file_id and f.sha256 = e.sha256)))
  when 'stem' then exists (
    select 1 from library l where l.dataset_id = e.dataset_id
      and l.name >= e.sought and l.name < e.sought || ${LAST} and l.kind <> '')
  when 'series' then exists (
    select 1 from library l where l.dataset_id = e.dataset_id and l.name = e.sought and l.depth = e.sections)
  else exists (select 1 from library l where l.dataset_id = e.dataset_id and l.name = e.sought) end`;

/** Whether there is a file of its path or name, which may be another one. */
const SEEN = sql<boolean>`case e.how
  when 'path' then exists (select 1 from library l where l.dataset_id = e.dataset_id and l.path = e.sought)
  when 'series' then exists (
    select 1 from library l where l.dataset_id = e.dataset_id and l.name = e.sought and l.depth is not null)
  else false end`;

export type ExpectedStatus = 'present' | 'missing' | 'wrong';

/** A series need not be there; one that is there has as many sections as its `.mdoc` file. */
const STATUS = sql<ExpectedStatus | null>`case
  when ${PRESENT} then 'present' when ${SEEN} then 'wrong' when e.how = 'series' then null else 'missing' end`;

export async function countByStatus(db: Database, datasetId: string): Promise<Record<ExpectedStatus, number>> {
  const { rows } = await sql<{ status: ExpectedStatus | null; count: number }>`
    select status, count(*) as count from (
      select e.how, e.sought, max(${STATUS}) as status from expected e where e.dataset_id = ${datasetId}
      group by e.how, e.sought
    ) as each group by status`.execute(db);
  const counts = rows.flatMap(({ status, count }) => (status === null ? [] : [[status, Number(count)] as const]));
  return { present: 0, missing: 0, wrong: 0, ...Object.fromEntries(counts) };
}

export interface ExpectedItem {
  readonly how: string;
  readonly sought: string;
  readonly path: string;
  readonly size: number | null;
  readonly sha256: Uint8Array | null;
  readonly sections: number | null;
  /** A file that names it; empty: a client has announced it. */
  readonly source: string;
  /** A file of its path or name; null: there is none. */
  readonly file_id: string | null;
}

/** In the order of what is sought. @param after the last one of the page before. */
export async function listByStatus(
  db: Database,
  datasetId: string,
  status: ExpectedStatus,
  { after, limit }: { after: { how: string; sought: string } | null; limit: number },
): Promise<ExpectedItem[]> {
  const rest = after === null ? sql`` : sql`and (e.how, e.sought) > (${after.how}, ${after.sought})`;
  const { rows } = await sql<ExpectedItem>`
    select e.how, e.sought, min(e.path) as path, min(e.size) as size, min(e.sections) as sections,
      min(e.source) as source, (
        select x.sha256 from expected x
        where x.dataset_id = ${datasetId} and x.source = '' and x.how = e.how and x.sought = e.sought
      ) as sha256, (
        case e.how when 'path'
          then (select min(l.file_id) from library l where l.dataset_id = ${datasetId} and l.path = e.sought)
          else (select min(l.file_id) from library l where l.dataset_id = ${datasetId} and l.name = e.sought) end
      ) as file_id
    from expected e where e.dataset_id = ${datasetId} ${rest} and ${STATUS} = ${status}
    group by e.how, e.sought order by e.how, e.sought limit ${limit}`.execute(db);
  return rows;
}

const REFERENCE = sql`(l.name like '%gain%' or l.name like '%countref%' or l.name like '%defect%')`;

/** Files that nothing names, and that name nothing. */
function extra(datasetId: string): RawBuilder<unknown> {
  return sql`
    from library l where l.dataset_id = ${datasetId} and not ${REFERENCE}
      and not exists (select 1 from expected e
        where e.dataset_id = l.dataset_id and e.how = 'path' and e.sought = l.path)
      and not exists (select 1 from expected e
        where e.dataset_id = l.dataset_id and e.how in ('name', 'series') and e.sought = l.name)
      and not exists (select 1 from expected e where e.source = l.file_id)
      and not exists (select 1 from (
        select e.sought from expected e
        where e.dataset_id = l.dataset_id and e.how = 'stem' and e.sought <= l.name order by e.sought desc limit 1
      ) as nearest where nearest.sought = substr(l.name, 1, length(nearest.sought)))`;
}

export async function countExtra(db: Database, datasetId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${extra(datasetId)}`.execute(db);
  return Number(rows[0]?.count);
}

export interface FoundFile {
  readonly file_id: string;
  readonly path: string;
  readonly size: number;
}

export async function listExtra(
  db: Database,
  datasetId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<FoundFile[]> {
  const rest = after === null ? sql`` : sql`and l.path > ${after}`;
  const { rows } = await sql<FoundFile>`
    select min(l.file_id) as file_id, l.path, min(l.size) as size ${extra(datasetId)} ${rest}
    group by l.path order by l.path limit ${limit}`.execute(db);
  return rows;
}

/** `.mdoc` files that may name more than is expected: the warnings of their reading say so. */
function partlyRead(datasetId: string): RawBuilder<unknown> {
  return sql`
    from library l join files f on f.id = l.file_id
    where l.dataset_id = ${datasetId} and l.name like '%.mdoc'
      and (f.warnings like '%"mdoc_too_large"%' or f.warnings like '%"mdoc_names_cut"%')`;
}

export async function countPartlyRead(db: Database, datasetId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${partlyRead(datasetId)}`.execute(db);
  return Number(rows[0]?.count);
}

/** In the order of their ids. @param after the last one of the page before. */
export async function listPartlyRead(
  db: Database,
  datasetId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<FoundFile[]> {
  const rest = after === null ? sql`` : sql`and l.file_id > ${after}`;
  const { rows } = await sql<FoundFile>`
    select l.file_id, l.path, l.size ${partlyRead(datasetId)} ${rest} order by l.file_id limit ${limit}`.execute(db);
  return rows;
}

export interface Double {
  readonly reason: 'path' | 'digest';
  readonly path: string;
  readonly files: number;
}

/** Paths that several files have, and contents that several files have: each once, with one of their paths. */
export async function listDoubles(db: Database, datasetId: string): Promise<Double[]> {
  const endTurn = takeTurns();
  const { rows: paths } = await sql<Double>`
    select 'path' as reason, path, count(*) as files from library where dataset_id = ${datasetId}
    group by path having count(*) > 1 order by path`.execute(db);
  await endTurn();
  const { rows: digests } = await sql<Double>`
    select 'digest' as reason, min(l.path) as path, count(*) as files from files f join library l on l.file_id = f.id
    where f.dataset_id = ${datasetId} and f.sha256 in (
      select sha256 from files where dataset_id = ${datasetId} and sha256 is not null and deleted_at is null
      group by sha256 having count(*) > 1)
    group by f.sha256 order by 2`.execute(db);
  return [...paths, ...digests].map((each) => ({ ...each, files: Number(each.files) }));
}

export interface Reference extends FoundFile {
  readonly width: number | null;
  readonly height: number | null;
}

/** Gain references and files of defects, by their names. */
export async function listReferences(db: Database, datasetId: string, limit: number): Promise<Reference[]> {
  const { rows } = await sql<Reference>`
    select file_id, path, size, width, height from library l
    where l.dataset_id = ${datasetId} and ${REFERENCE} order by path limit ${limit}`.execute(db);
  return rows;
}

/** The size that most images have, movies first. */
export async function findMovieSize(
  db: Database,
  datasetId: string,
): Promise<{ width: number; height: number; files: number } | null> {
  const { rows } = await sql<{ width: number; height: number; files: number }>`
    select width, height, count(*) as files from library l
    where l.dataset_id = ${datasetId} and l.width is not null and not ${REFERENCE}
    group by width, height order by sum(case when l.depth > 1 then 1 else 0 end) desc, count(*) desc limit 1`.execute(
    db,
  );
  const [most] = rows;
  return most ? { width: most.width, height: most.height, files: Number(most.files) } : null;
}

/** Files that are not read yet: `.mdoc` files, and those whose digest is not known. */
export async function countUnread(db: Database, datasetId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (
      select count(*) from library l where l.dataset_id = ${datasetId} and l.name like '%.mdoc' and exists (
        select 1 from jobs j
        where j.file_id = l.file_id and j.kind = ${ANALYSIS_JOB} and j.status in ('waiting', 'running'))
    ) + (
      select count(*) from files f where f.dataset_id = ${datasetId} and f.sha256 is null and f.deleted_at is null
    ) as count`.execute(db);
  return Number(rows[0]?.count);
}
