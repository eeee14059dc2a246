/** Reads behind the servers: the rows of the database and the keys of the bucket. */
import { ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import type { RunningService } from '../engines/running-service.ts';
import type { Deployment } from './deployment.ts';

/** Keeps every part row that is deleted or changed while its upload is open or in verification. */
const WATCH_PARTS = `
create table if not exists watched (what text, upload_id text, idx integer, status text, at timestamptz default clock_timestamp());
create or replace function watch_parts() returns trigger language plpgsql as $$
begin
  insert into watched (what, upload_id, idx, status)
    select tg_op, old.upload_id, old.idx, status from uploads
    where id = old.upload_id and status in ('pending', 'uploading', 'verifying');
  return coalesce(new, old);
end $$;
create or replace trigger watch_parts after update or delete on parts for each row execute function watch_parts();`;

export async function watchParts({ postgres }: Deployment): Promise<void> {
  await postgres.run(WATCH_PARTS);
}

/** @returns a line for each acknowledged part that was taken back. */
export async function findTakenBack({ postgres }: Deployment): Promise<string[]> {
  const rows = await query<{ what: string; upload_id: string; idx: number; status: string; at: Date }>(
    postgres.url,
    'select * from watched',
  );
  return rows.map(
    ({ what, upload_id, idx, status, at }) =>
      `${what} of the row of part ${idx} of ${upload_id}, which is ${status}, at ${at.toISOString()}`,
  );
}

/** What is behind the servers. */
interface Behind {
  readonly postgres: { readonly url: string };
  readonly seaweed: Omit<RunningService, 'stop'>;
  readonly prefix: string;
}

/** @returns a line for everything in the bucket that no record has, and for every record whose object is missing. */
export async function findOrphans({ postgres, seaweed, prefix }: Behind): Promise<string[]> {
  const { endpoint, region, credentials, bucket } = seaweed;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    const files = await query<{ id: string; filename: string; size: string }>(
      postgres.url,
      'select id, filename, size from files where deleted_at is null',
    );
    const expected = new Map(files.map(({ id, filename, size }) => [`${prefix}/files/${id}/${filename}`, size]));
    const found = new Map<string, number>();
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}/files/` })) {
      for (const { Key = '', Size = 0 } of page.Contents ?? []) found.set(Key, Size);
    }
    const others: string[] = [];
    for (const folder of ['compressed', 'pieces', 'previews']) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}/${folder}/` })) {
        others.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      }
    }
    const ids = new Set(files.map(({ id }) => id));
    const isOfFile = (key: string) => ids.has(key.slice(`${prefix}/previews/`.length).split('/', 1)[0] as string);
    const multiparts = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
    return [
      ...[...found.keys()].filter((key) => !expected.has(key)).map((key) => `no record has the object ${key}`),
      ...others.filter((key) => !isOfFile(key)).map((key) => `nothing needs the object ${key}`),
      ...[...expected].flatMap(([key, size]) =>
        found.get(key) === Number(size) ? [] : [`${key} has ${found.get(key) ?? 'none'} of ${size} bytes`],
      ),
      ...(multiparts.Uploads ?? []).map(({ Key }) => `a multipart upload of ${Key} is left`),
    ];
  } finally {
    client.destroy();
  }
}

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}
