import assert from 'node:assert/strict';
import { insertFile } from '../files.ts';
import { SCHEMA_FLOOR } from '../schema.ts';
import { readFact } from '../server-state.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile } from '../test-rows.ts';
import { recordCompressed, takeOldStacks } from './compressed.ts';

const STACK = JSON.stringify({ kind: 'stack' });

testDatabases(
  'compression: stacks are taken in the order of their times, each once, when they are old enough',
  async (db) => {
    const draft = (id: string, created_at: number, mrc: string | null = STACK) => ({
      ...draftFile(id, 10),
      created_at,
      mrc,
    });
    const expected = Array.from({ length: 25 }, (_, at) => `stack-${String(at).padStart(2, '0')}`);
    await db.transaction().execute(async (tx) => {
      // Several at one time; in another order than their times.
      for (const [at, id] of [...expected.entries()].reverse())
        await insertFile(tx, draft(id, 1000 + Math.floor(at / 10)));
      await insertFile(tx, draft('later', 2000));
      await insertFile(tx, draft('volume', 1000, JSON.stringify({ kind: 'volume' })));
      await insertFile(tx, draft('other', 1000, null));
    });
    const take = (untilMs: number) => db.transaction().execute((tx) => takeOldStacks(tx, untilMs, 10));
    const taken: string[] = [];
    for (let isMore = true; isMore; ) {
      const page = await take(1999);
      taken.push(...page.stacks.map(({ id }) => id));
      isMore = page.isMore;
    }
    assert.deepEqual(taken.sort(), expected);
    assert.deepEqual((await take(1999)).stacks, []);
    assert.deepEqual(
      (await take(2000)).stacks.map(({ id }) => id),
      ['later'],
    );
  },
);

testDatabases('compression: it is recorded once, and servers that cannot read it are kept away', async (db) => {
  await db.transaction().execute((tx) => insertFile(tx, draftFile('a', 10)));
  const record = (sizeBytes: number) =>
    db.transaction().execute((tx) => recordCompressed(tx, 'a', { sizeBytes, sha256: new Uint8Array(32).fill(7) }));
  assert.equal(await readFact(db, SCHEMA_FLOOR), undefined);
  assert.equal((await record(5))?.compressed_size, 5);
  assert.equal(await record(6), undefined);
  assert.equal(await readFact(db, SCHEMA_FLOOR), '027_compression');
});
