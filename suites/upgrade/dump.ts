/** A database of PostgreSQL as SQL: `pg_dump` is not part of what npm has of PostgreSQL. */
import pg from 'pg';

const TABLES = `
  select relname, relpersistence = 'u' as is_unlogged from pg_class
  where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`;
const COLUMNS = `
  select quote_ident(attname) as name, format_type(atttypid, atttypmod) as type, attnotnull, attidentity,
    pg_get_expr(adbin, adrelid) as initial,
    (select quote_ident(collname) from pg_collation c join pg_type t on t.oid = atttypid
     where c.oid = attcollation and attcollation <> t.typcollation) as collation
  from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attrelid = quote_ident($1)::regclass and attnum > 0 and not attisdropped order by attnum`;
const CONSTRAINTS = `
  select quote_ident(conname) as name, pg_get_constraintdef(oid) as definition from pg_constraint
  where conrelid = quote_ident($1)::regclass and contype in ('p', 'u') order by conname`;
const INDEXES = `
  select pg_get_indexdef(indexrelid) as definition from pg_index
  where indrelid = quote_ident($1)::regclass
    and indexrelid not in (select conindid from pg_constraint) order by indexrelid::regclass::text`;
const SEQUENCES = `
  select quote_ident(sequencename) as name, coalesce(last_value, 1) as last, last_value is not null as is_called,
    exists (select from pg_depend where objid = quote_ident(sequencename)::regclass and deptype = 'i') as is_identity
  from pg_sequences where schemaname = 'public' order by sequencename`;

/** @returns statements for an empty database. */
export async function dump(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const ask = async (sql: string, ...values: string[]) => (await client.query(sql, values)).rows;
    const lines: string[] = [];
    for (const { relname, is_unlogged } of await ask(TABLES)) {
      const columns = await ask(COLUMNS, relname);
      lines.push(`create ${is_unlogged ? 'unlogged ' : ''}table ${relname} (${columns.map(toColumn).join(', ')});`);
      lines.push(...(await dumpRows(ask, relname, columns)));
      for (const { name, definition } of await ask(CONSTRAINTS, relname))
        lines.push(`alter table ${relname} add constraint ${name} ${definition};`);
      for (const { definition } of await ask(INDEXES, relname)) lines.push(`${definition};`);
    }
    for (const { name, last, is_called, is_identity } of await ask(SEQUENCES)) {
      if (!is_identity) lines.push(`create sequence ${name};`);
      lines.push(`select setval('${name}', ${last}, ${is_called});`);
    }
    return `${lines.join('\n')}\n`;
  } finally {
    await client.end();
  }
}

type Ask = (sql: string, ...values: string[]) => Promise<Record<string, string>[]>;

function toColumn({ name, type, collation, attnotnull, attidentity, initial }: Record<string, unknown>): string {
  const parts = [name, type];
  if (collation) parts.push(`collate ${collation}`);
  if (attnotnull) parts.push('not null');
  if (attidentity) parts.push(`generated ${attidentity === 'a' ? 'always' : 'by default'} as identity`);
  else if (initial) parts.push(`default ${initial}`);
  return parts.join(' ');
}

async function dumpRows(ask: Ask, table: string, columns: Record<string, string>[]): Promise<string[]> {
  const names = columns.map(({ name }) => name).join(', ');
  const literals = columns.map(({ name }) => `quote_nullable(${name}::text)`).join(` || ', ' || `);
  const rows = await ask(`select ${literals} as row from ${table} order by 1`);
  return rows.map(({ row }) => `insert into ${table} (${names}) overriding system value values (${row});`);
}
