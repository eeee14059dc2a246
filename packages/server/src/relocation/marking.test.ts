import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SettingError } from '../config/setting-error.ts';
import { readMark, removeMark, writeMark } from '../db/relocation/marks.ts';
import { insertRow, makeDatabase } from '../db/test-rows.ts';
import { beginRelocation, endRelocation, giveUpRelocation, releaseSource } from './marking.ts';

const NAMES = { source: 'sqlite:/a', target: 'sqlite:/b', storages: 'file:/a to file:/b' };

async function makeBoth(t: TestContext) {
  return { source: await makeDatabase(t), target: await makeDatabase(t) };
}

test('relocation: begun again, it has the same mark; with other storages it is refused', async (t) => {
  const both = await makeBoth(t);
  const mark = await beginRelocation(both, NAMES, false);
  assert.deepEqual(await beginRelocation(both, NAMES, false), mark);
  await assert.rejects(beginRelocation(both, { ...NAMES, storages: 'file:/a to file:/home' }, false), SettingError);
  await assert.rejects(beginRelocation({ ...both, target: await makeDatabase(t) }, NAMES, false), /give that up first/);
  await assert.rejects(beginRelocation({ source: both.target, target: both.source }, NAMES, false), SettingError);
});

test('relocation: given up and begun again, its rows are copied from the beginning', async (t) => {
  const both = await makeBoth(t);
  const mark = await beginRelocation(both, NAMES, false);
  assert.ok(mark !== 'ended');
  await insertRow(both.target);
  await writeMark(both.target, { ...mark, step: 'bytes' });
  assert.equal(await giveUpRelocation(both.source, NAMES.source), NAMES.target);
  assert.equal(await readMark(both.source), null);
  await assert.rejects(giveUpRelocation(both.source, NAMES.source), /is not being migrated/);
  assert.deepEqual(await beginRelocation(both, NAMES, false), mark);
  assert.deepEqual(await both.target.selectFrom('uploads').selectAll().execute(), []);
});

for (const storageStays of [false, true]) {
  test(`relocation: killed at each step of its end, it ends when it is run again (storage ${storageStays ? 'stays' : 'moves'})`, async (t) => {
    const both = await makeBoth(t);
    const mark = await beginRelocation(both, NAMES, storageStays);
    assert.ok(mark !== 'ended');
    const marks = { role: 'source', id: mark.id, other: NAMES.target, isEnded: true } as const;
    // Behind the first step nothing is lost but this step, which is repeated.
    await writeMark(both.source, marks);
    assert.deepEqual(await beginRelocation(both, NAMES, storageStays), mark);
    await removeMark(both.target);
    await insertRow(both.target);
    assert.equal(await beginRelocation(both, NAMES, storageStays), 'ended');
    await releaseSource(both.source, storageStays);
    const left = await readMark(both.source);
    assert.equal(left?.role ?? null, storageStays ? 'moved' : null);
    if (storageStays) await assert.rejects(beginRelocation(both, NAMES, storageStays), /which has its files now/);
    else await assert.rejects(beginRelocation(both, NAMES, storageStays), /is not empty/);
  });
}

test('relocation: at its end servers may start on the target, and on the source only with its own storage', async (t) => {
  for (const storageStays of [false, true]) {
    const both = await makeBoth(t);
    const mark = await beginRelocation(both, NAMES, storageStays);
    assert.ok(mark !== 'ended');
    await endRelocation(both, NAMES, mark.id, storageStays);
    assert.equal(await readMark(both.target), null);
    assert.equal((await readMark(both.source))?.role ?? null, storageStays ? 'moved' : null);
  }
});
