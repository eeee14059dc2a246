import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { ServerError } from '../../failures.ts';
import { failure, lost } from '../../test-server.ts';
import { streamDownload } from './stream-download.ts';
import { BYTES, FILE, FileServer, isIntegrity } from './test-download.ts';

let server: FileServer;
beforeEach(() => {
  server = new FileServer();
});

test('stream: bytes are written in order, the last ones only after the digest was verified', async () => {
  const parts: Uint8Array[] = [];
  const write = async (bytes: Uint8Array) => {
    parts.push(bytes);
  };
  await streamDownload(server.api, FILE, write);
  assert.ok(Buffer.concat(parts).equals(BYTES));
  assert.equal(server.asked.length, 3);

  parts.length = 0;
  server.tamper = (range, answer) =>
    range.startsWith('bytes=0-') ? { ...answer(), body: randomBytes(answer().body.length) } : answer();
  await assert.rejects(streamDownload(server.api, FILE, write), isIntegrity);
  assert.ok(Buffer.concat(parts).length < BYTES.length);
});

test('stream: a closed reader ends it, and so does a signal', async () => {
  await assert.rejects(
    streamDownload(server.api, FILE, async () => {
      throw new Error('closed');
    }),
    /closed/,
  );
  await assert.rejects(
    streamDownload(server.api, FILE, async () => {}, { signal: AbortSignal.abort(new Error('Ctrl-C')) }),
    /Ctrl-C/,
  );
});

test('stream: a permanent failure of one range ends it while another range waits', async () => {
  server.tamper = (range) => (range.startsWith('bytes=0-') ? lost() : failure('file_not_found'));
  await assert.rejects(
    streamDownload(server.api, FILE, async () => {}),
    (error) => error instanceof ServerError && error.code === 'file_not_found',
  );
});
