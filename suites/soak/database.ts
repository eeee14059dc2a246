/** The database behind the server: its rows are counted, and time passes in it. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

export type RowCounts = Readonly<Record<string, number>>;

export interface SoakDatabase {
  countRows(): Promise<RowCounts>;
  /** Bytes on the disk, with its log. */
  size(): Promise<number>;
  /** Runs statements that change something. */
  run(sql: string): Promise<void>;
  /** Rows of one number each. */
  count(sql: string): Promise<number>;
  close(): Promise<void>;
}

export const TABLES = [
  ...['uploads', 'parts', 'signed_parts', 'appends', 'pieces', 'files', 'owner_usage', 'idempotency_keys', 'facts'],
  ...['events', 'links', 'jobs', 'deliveries', 'leases'],
];
const COUNTS = `select ${TABLES.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')}`;

/** The server has its own connections. Ours is open for one statement at a time. */
export function openSqlite(path: string): SoakDatabase {
  const read = async (sql: string) => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    try {
      return database.prepare(sql).get() as Record<string, number>;
    } finally {
      database.close();
    }
  };
  return {
    countRows: async () => ({ ...(await read(COUNTS)) }),
    size: async () => ['', '-wal', '-shm'].reduce((sum, end) => sum + sizeOf(path + end), 0),
    async run(sql) {
      const database = new DatabaseSync(path, { timeout: 5000 });
      try {
        database.exec(sql);
      } finally {
        database.close();
      }
    },
    count: async (sql) => Number(Object.values(await read(sql))[0]),
    async close() {},
  };
}

export async function openPostgres(url: string): Promise<SoakDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const read = async (sql: string) => {
    const { rows } = await pool.query(sql);
    return Object.fromEntries(Object.entries(rows[0] as object).map(([name, value]) => [name, Number(value)]));
  };
  return {
    countRows: () => read(COUNTS),
    size: async () => (await read('select pg_database_size(current_database()) as size')).size ?? 0,
    run: async (sql) => void (await pool.query(sql)),
    count: async (sql) => Object.values(await read(sql))[0] ?? 0,
    close: () => pool.end(),
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const DAY_MS = 86_400_000;
/** More than the week for which the server keeps what has ended. */
const BACK_MS = 8 * DAY_MS;

export interface Ages {
  /** So long after its end an upload is made old; so are events. */
  readonly endedMs: number;
  /** So long after its last part an open or failed upload expires, and an upload link after it was made. */
  readonly openMs: number;
}

/**
 * Time passes for what is old enough: the stored times are moved back by eight days, so that housekeeping removes what it
 * would remove after a week. Nothing that a client still uses is that old.
 */
export async function passTime(database: SoakDatabase, { endedMs, openMs }: Ages): Promise<void> {
  const now = Date.now();
  const [ended, open, moved] = [now - endedMs, now - openMs, now - BACK_MS / 2];
  await database.run(`
update events set time = time - ${BACK_MS} where time > ${moved} and time <= ${ended};
update uploads set updated_at = updated_at - ${BACK_MS} where status in ('completed', 'cancelled', 'expired')
  and updated_at > ${moved} and updated_at <= ${ended};
update uploads set expires_at = ${now - 1} where status in ('pending', 'uploading', 'failed')
  and updated_at <= ${open} and expires_at > ${now};
update links set expires_at = ${now - BACK_MS} where created_at <= ${open} and expires_at > ${moved};
update leases set expires_at = expires_at - ${BACK_MS} where expires_at > ${moved} and expires_at <= ${open};`);
}
