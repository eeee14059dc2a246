/** The connections of one server to PostgreSQL, and what it does for all of them. */
import pg from 'pg';

/** The server's connections are known by this name; it begins with `cryolift`. */
export function nameSessions(databaseUrl: string, program: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('application_name', program);
  return url.href;
}

/**
 * Ends the transactions of a server that does not go on, as PostgreSQL does by itself after 15 s
 * (`idle_in_transaction_session_timeout`).
 */
export async function endTransactions(databaseUrl: string, program: string): Promise<void> {
  await query(
    databaseUrl,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = $1 and state like 'idle in transaction%'`,
    [program],
  );
}

export async function query<Row>(databaseUrl: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql, values as unknown[])).rows as Row[];
  } finally {
    await client.end();
  }
}
