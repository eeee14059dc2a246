import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Api, type Transport } from '@cryolift/client';
import { KnownFiles } from './known-files.ts';

const PART = 4;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function recordOf(filename: string, text: string, folder = '') {
  const bytes = Buffer.from(text);
  const parts = Array.from({ length: Math.ceil(bytes.length / PART) }, (_, at) =>
    bytes.subarray(at * PART, (at + 1) * PART),
  );
  return {
    file_id: filename,
    filename,
    size: bytes.length,
    part_size: PART,
    parts_sha256: sha256(Buffer.concat(parts.map(sha256))).toString('hex'),
    metadata: { path: folder + filename },
    ...{ sha256: null, owner: 'ada', created_at: '', warnings: [] },
  };
}

/** @param isLong the folder has more files than are listed. */
function makeKnown(records: object[], isLong = false) {
  const paths: string[] = [];
  const transport: Transport = {
    async send({ path }) {
      paths.push(path);
      const query = new URLSearchParams(path.split('?')[1]);
      const items = isLong && !query.has('q') ? [] : records;
      const page = { items, next_cursor: isLong && !query.has('q') ? 'more' : null, total: 9, total_is_more: false };
      return { status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(page)) };
    },
  };
  return { known: new KnownFiles(new Api(transport, async () => 'token')), paths };
}

test('known files: the same bytes, other bytes, and another size', async () => {
  const { known, paths } = makeKnown([recordOf('a.mrc', '0123456789'), recordOf('b.mrc', 'something')]);
  assert.equal(await known.compare(new File(['0123456789'], 'a.mrc'), 's/a.mrc'), 'same');
  assert.equal(await known.compare(new File(['0123456780'], 'a.mrc'), 's/a.mrc'), 'other');
  assert.equal(await known.compare(new File(['012345678'], 'a.mrc'), 's/a.mrc'), null);
  assert.equal(await known.compare(new File(['0123456789'], 'c.mrc'), 's/c.mrc'), null);
  assert.deepEqual(paths, ['/files?folder=s&limit=1000'], 'the folder is listed once');
});

test('known files: in a folder with very many files, the server is asked for the name', async () => {
  const { known, paths } = makeKnown([recordOf('a.mrc', '0123456789')], true);
  assert.equal(await known.compare(new File(['0123456789'], 'a.mrc'), null), 'same');
  assert.deepEqual(paths, ['/files?folder=&limit=1000', '/files?folder=&q=a.mrc&min_size=10&max_size=10']);
});

test('known files: a file that is too large is not read', async () => {
  const size = 3 * 1024 ** 3;
  const { known } = makeKnown([{ ...recordOf('a.mrc', 'x'), size }]);
  const file = { name: 'a.mrc', size, slice: () => assert.fail('it is not read') } as unknown as File;
  assert.equal(await known.compare(file, null), 'unknown');
});

test('known files: when the server does not answer, nothing is known', async () => {
  const transport: Transport = { send: () => Promise.reject(new Error('lost')) };
  const known = new KnownFiles(new Api(transport, async () => 'token'));
  assert.equal(await known.compare(new File(['x'], 'a.mrc'), null), null);
});
