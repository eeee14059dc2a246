import assert from 'node:assert/strict';
import { openSecretRow } from './secrets.ts';
import { testDatabases } from './test-databases.ts';

testDatabases('secrets: of several servers that replace one at once, one succeeds', async (db) => {
  const secret = openSecretRow(db, 'key');
  assert.equal(await secret.read(), null);
  const made = await Promise.all(['a', 'b', 'c'].map((text) => secret.replace(text, null)));
  assert.deepEqual(made.filter(Boolean), [true]);
  const first = await secret.read();
  const replaced = await Promise.all(['d', 'e'].map((text) => secret.replace(text, first)));
  assert.deepEqual(replaced.filter(Boolean), [true]);
  assert.equal(await secret.replace('f', first), false);
  assert.match((await secret.read()) ?? '', /^[de]$/);
});
