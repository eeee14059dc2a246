import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerError } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { Refusal } from '../process/exit.ts';
import { FolderJournal } from '../upload/folder-journal.ts';
import { isRefusal, Refusals } from './refusals.ts';

const FACTS = { sizeBytes: 10, modifiedMs: 1.5, changedMs: 2.5, inode: 7 };
const GROUNDS = { max_file_size: 5, mrc_types: ['mrc'], accepted_types: [], metadata: {} };
const DAY_MS = 24 * 3600_000;

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-refusals-'));
  process.env.XDG_STATE_HOME = join(folder, 'state');
});

after(() => rm(folder, { recursive: true }));

function refusal(code: 'file_too_large' | 'invalid_mrc' | 'overloaded'): ServerError {
  return new ServerError(400, { code, message: `it is ${code}`, hint: '', retryable: false, request_id: 'r' }, null);
}

const open = () => FolderJournal.open('http://a', 'ada', folder);

test('refusals: a refusal is valid, also in later runs, until a value on which it depends changes', async () => {
  await new Refusals(await open(), GROUNDS).note('a.mrc', FACTS, refusal('file_too_large'));
  const later = new Refusals(await open(), GROUNDS);
  assert.equal(later.find('a.mrc', FACTS)?.refused, 'it is file_too_large');
  assert.equal(later.find('a.mrc', FACTS)?.code, 'file_too_large');
  assert.equal(later.find('a.mrc', { ...FACTS, modifiedMs: 2 }), null);
  later.noteLimits({ ...GROUNDS, accepted_types: ['mdoc'] } as unknown as Limits);
  assert.ok(later.find('a.mrc', FACTS), 'of another limit');
  later.noteLimits({ ...GROUNDS, max_file_size: 20 } as unknown as Limits);
  assert.equal(later.find('a.mrc', FACTS), null);
});

test('refusals: a refusal ends after a day, also when the clock was set back', async () => {
  const refusals = new Refusals(await open(), GROUNDS);
  await refusals.note('b.mrc', FACTS, refusal('invalid_mrc'));
  assert.ok(refusals.find('b.mrc', FACTS, Date.now() + DAY_MS - 60_000));
  assert.equal(refusals.find('b.mrc', FACTS, Date.now() + DAY_MS), null);
  assert.equal(refusals.find('b.mrc', FACTS, Date.now() - 2 * DAY_MS), null);
});

test('refusals: a refusal for the metadata ends with other metadata', async () => {
  const error = new Refusal('path_too_long', 'too long', '');
  assert.ok(isRefusal(error) && !isRefusal(refusal('overloaded')) && !isRefusal(new Error('other')));
  await new Refusals(await open(), { ...GROUNDS, metadata: { notes: 'long' } }).note('c.mrc', FACTS, error);
  assert.ok(new Refusals(await open(), { ...GROUNDS, metadata: { notes: 'long' } }).find('c.mrc', FACTS));
  assert.equal(new Refusals(await open(), GROUNDS).find('c.mrc', FACTS), null);
});
