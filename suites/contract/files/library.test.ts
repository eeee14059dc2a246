/** `GET /files` with filters, and `GET /files/tree`: page 7, lists of files. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FilePage, FileRecord, FileTree, UploadLink } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, open, publish, putAll } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
let owners = 0;

/** An owner without files. */
function newOwner() {
  return callAs(server, { sub: `library-${process.pid}-${++owners}` });
}
type Call = ReturnType<typeof newOwner>;

/** @param names paths; the size of each file grows with its place. */
async function publishAll(call: Call, paths: readonly string[], metadata: Record<string, string> = {}) {
  const files: FileRecord[] = [];
  for (const [at, path] of paths.entries()) {
    const filename = path.split('/').at(-1) ?? '';
    files.push(await publish(call, makeMrc(2000 + at), { filename, metadata: { ...metadata, path } }));
  }
  return files;
}

async function ask(call: Call, query: Record<string, string | number>): Promise<FilePage> {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const answer = await call('GET', `/files?${String(text).replaceAll('+', '%20')}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<FilePage>();
}

async function names(call: Call, query: Record<string, string | number>): Promise<string[]> {
  const { items, total, total_is_more } = await ask(call, query);
  assert.deepEqual([total, total_is_more], [items.length, false]);
  return items.map(({ filename }) => filename);
}

test('library: words, prefix, folder, sizes and times select, and the total is exact', async () => {
  const call = newOwner();
  const files = await publishAll(call, ['s1/g1/Alpha.mrc', 's1/g2/beta.mrc', 's2/alpha-2.mrc'], {
    sample: '100% Ribosome',
  });
  assert.deepEqual(await names(call, { q: 'ALPHA' }), ['alpha-2.mrc', 'Alpha.mrc']);
  assert.deepEqual(await names(call, { q: '  ribosome   s1 ' }), ['beta.mrc', 'Alpha.mrc']);
  assert.deepEqual(await names(call, { q: '0%' }), ['alpha-2.mrc', 'beta.mrc', 'Alpha.mrc']);
  assert.deepEqual(await names(call, { q: 'alpha beta' }), []);
  assert.deepEqual(await names(call, { prefix: 's1/' }), ['beta.mrc', 'Alpha.mrc']);
  assert.deepEqual(await names(call, { folder: 's2' }), ['alpha-2.mrc']);
  assert.deepEqual(await names(call, { folder: 's1' }), []);
  assert.deepEqual(await names(call, { min_size: 2001, max_size: 2001 }), ['beta.mrc']);
  const [first, second] = files.map(({ created_at }) => created_at) as [string, string];
  assert.deepEqual(await names(call, { until: second, since: first }), ['Alpha.mrc']);
  assert.deepEqual(await names(call, { since: '2000-01-01', kind: 'other' }), []);
  assert.deepEqual((await ask(call, { limit: 1 })).total, 3);
  assertFailure(await call('GET', '/files?since=2026-02-99'), 'invalid_request');
  assertFailure(await call('GET', '/files?since=yesterday'), 'invalid_request');
});

test('library: every order, with a cursor that belongs to its query', async () => {
  const call = newOwner();
  await publishAll(call, ['b.mrc', 'A.mrc', 'c.mrc']);
  assert.deepEqual(await names(call, { sort: 'filename' }), ['A.mrc', 'b.mrc', 'c.mrc']);
  assert.deepEqual(await names(call, { sort: 'filename', order: 'desc' }), ['c.mrc', 'b.mrc', 'A.mrc']);
  assert.deepEqual(await names(call, { sort: 'size' }), ['c.mrc', 'A.mrc', 'b.mrc']);
  assert.deepEqual(await names(call, { order: 'asc' }), ['b.mrc', 'A.mrc', 'c.mrc']);
  const first = await ask(call, { sort: 'size', q: 'mrc', limit: 2 });
  const cursor = first.next_cursor ?? '';
  const rest = await ask(call, { sort: 'size', q: 'mrc', limit: 2, cursor });
  assert.deepEqual(
    [...first.items, ...rest.items].map(({ filename }) => filename),
    ['c.mrc', 'A.mrc', 'b.mrc'],
  );
  assert.deepEqual([rest.next_cursor, rest.total], [null, 3]);
  for (const query of ['sort=size', 'sort=filename&q=mrc', 'sort=size&q=mr', '', 'sort=size&q=mrc&order=asc']) {
    assertFailure(await call('GET', `/files?${query}&cursor=${cursor}`.replace('?&', '?')), 'invalid_request');
  }
  assertFailure(await newOwner()('GET', `/files?sort=size&q=mrc&cursor=${cursor}`), 'invalid_request');
});

test('library: the tree has the sums of folders, and follows changes and deletions', async () => {
  const call = newOwner();
  const [first] = await publishAll(call, ['s1/g1/a.mrc', 's1/g2/b.mrc', 's2/c.mrc', 'd.mrc']);
  const tree = async (query = '') => (await call('GET', `/files/tree${query}`)).json<FileTree>();
  const brief = ({ prefix, files, bytes, items }: FileTree) => [
    prefix,
    files,
    bytes,
    items.map((each) => [each.prefix, each.files, each.bytes]),
  ];
  assert.deepEqual(brief(await tree()), [
    '',
    4,
    8006,
    [
      ['s1/', 2, 4001],
      ['s2/', 1, 2002],
    ],
  ]);
  assert.deepEqual(brief(await tree('?prefix=s1')), [
    's1/',
    2,
    4001,
    [
      ['s1/g1/', 1, 2000],
      ['s1/g2/', 1, 2001],
    ],
  ]);
  const page = await tree('?limit=1');
  assert.deepEqual(
    (await tree(`?limit=1&cursor=${page.next_cursor}`)).items.map(({ name }) => name),
    ['s2'],
  );
  assertFailure(await call('GET', `/files/tree?prefix=s1&cursor=${page.next_cursor}`), 'invalid_request');
  await call('PATCH', `/files/${first?.file_id}`, { json: { metadata: { path: 's2/a.mrc' } } });
  assert.deepEqual(brief(await tree()), [
    '',
    4,
    8006,
    [
      ['s1/', 1, 2001],
      ['s2/', 2, 4002],
    ],
  ]);
  assert.deepEqual(await tree('?prefix=none/at/all'), {
    prefix: 'none/at/all/',
    files: 0,
    bytes: 0,
    newest_at: null,
    items: [],
    next_cursor: null,
  });
  for (const { file_id } of (await ask(call, {})).items) await call('DELETE', `/files/${file_id}`);
  assert.deepEqual(brief(await tree()), ['', 0, 0, []]);
});

test('library: any text in a query is a text', async () => {
  const call = newOwner();
  await publishAll(call, ['a.mrc']);
  const texts = [
    '"',
    '""',
    "'",
    '*',
    '%',
    '_',
    '\\',
    'NEAR(',
    'a OR b',
    '-a',
    '^a',
    '\u0000',
    '\u0001',
    '🧊🧊🧊',
    'שלום עולם',
    'x'.repeat(4096),
    'a '.repeat(2048),
  ];
  for (const text of texts) {
    for (const name of ['q', 'prefix', 'folder', 'instrument']) {
      const answer = await call('GET', `/files?${name}=${encodeURIComponent(text)}`);
      assert.equal(answer.status, 200, `${name}=${text.slice(0, 20)}: ${answer.body.toString()}`);
    }
    assert.equal((await call('GET', `/files/tree?prefix=${encodeURIComponent(text)}`)).status, 200);
  }
  assertFailure(await call('GET', `/files?q=${'x'.repeat(4097)}`), 'invalid_request');
});

test('library: records say who uploaded a file and where it comes from', async () => {
  const call = newOwner();
  const plain = await publish(call, makeMrc(2000), { instrument: 'Krios 1' });
  assert.deepEqual([plain.uploader, plain.link_id, plain.instrument], [plain.owner, null, 'Krios 1']);
  const named = await publish(call, makeMrc(2000), { instrument: 'Krios 1', metadata: { instrument: 'Glacios' } });
  assert.equal(named.instrument, 'Glacios');
  assert.deepEqual(
    (await ask(call, { instrument: 'Krios 1' })).items.map(({ file_id }) => file_id),
    [plain.file_id],
  );
});

test('library: a file that came by an upload link has the id of the link in its record', async () => {
  const call = newOwner();
  const made = await call('POST', '/links');
  assert.equal(made.status, 201, made.body.toString());
  const { link_id, token } = made.json<UploadLink>();
  const byLink = callWith(server, { authorization: `Bearer ${token}` });
  const bytes = makeMrc(2000);
  const upload = await open(byLink, { filename: 'guest.mrc', size: bytes.length, instrument: 'Glacios' });
  await putAll(byLink, upload, bytes);
  assert.equal((await complete(byLink, upload)).status, 200);
  await publish(call, makeMrc(2001), { filename: 'own.mrc' });
  const { items } = await ask(call, { sort: 'filename' });
  assert.deepEqual(
    items.map(({ filename, link_id, uploader, owner, instrument }) => [
      filename,
      link_id,
      uploader === owner,
      instrument,
    ]),
    [
      ['guest.mrc', link_id, false, 'Glacios'],
      ['own.mrc', null, true, null],
    ],
  );
  const [guest] = items;
  assert.equal(guest?.uploader, link_id);
  assert.deepEqual((await call('GET', `/files/${guest?.file_id}`)).json(), guest);
  assert.deepEqual((await ask(call, { instrument: 'Glacios' })).items, [guest]);
});
