/** Two clients, random orders, eight parts at a time, some sent twice: one correct file. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { sha256Hex, shuffle } from '../sample.ts';
import { complete, openSample, PART_BYTES, put, readUploadRecord } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

/** Fewer where the least part has 5 MiB. */
const PARTS = PART_BYTES > 64 * 1024 ? 20 : 40;
const AT_A_TIME = 8;

// Invariant 5
test('parallel: two clients send all parts of one upload, each in its own order, a fifth of them twice', async () => {
  const sub = 'two-clients';
  const call = callAs(server, { sub });
  const { upload, bytes } = await openSample(call, PARTS);
  const indexes = Array.from({ length: PARTS }, (_, idx) => idx);
  const stored: number[] = [];

  async function send(as: Call): Promise<void> {
    const queue = shuffle([...indexes, ...shuffle(indexes).slice(0, PARTS / 5)]);
    const work = async () => {
      for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
        const { status, body } = await put(as, upload, idx, bytes);
        assert.ok([200, 201, 409].includes(status), body.toString());
        if (status === 201) stored.push(idx);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }
  await Promise.all([send(call), send(callAs(server, { sub }))]);

  assert.deepEqual(
    stored.sort((a, b) => a - b),
    indexes,
    'each part was stored exactly once',
  );
  const { received_parts, received_bytes, missing_parts, progress } = await readUploadRecord(call, upload);
  assert.deepEqual(
    { received_parts, received_bytes, missing_parts, progress },
    {
      received_parts: PARTS,
      received_bytes: bytes.length,
      missing_parts: [],
      progress: 1,
    },
  );
  const file = (await complete(call, upload)).json<FileRecord>();
  assert.equal(file.sha256, sha256Hex(bytes));
  assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
});
