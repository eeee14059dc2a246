import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUploader } from '../connection/connection.ts';
import type { Found } from '../files/find-files.ts';
import { Output } from '../output/output.ts';
import { ProgressDisplay } from '../output/progress.ts';
import { Tally } from '../output/tally.ts';
import { Batch, type BatchOptions } from './batch.ts';
import { placeOf } from './folder-journal.ts';

const NOT_KNOWN = { code: 'not_found', message: 'Nothing is here.', hint: '', retryable: false, request_id: 'r' };

class NotedBatch extends Batch {
  readonly codes: unknown[] = [];

  override fail(path: string, error: unknown): void {
    this.codes.push([path, (error as { code?: string }).code]);
  }
}

test('batch: after a failed read of owner or journal, the next file reads it again', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-batch-'));
  context.after(() => rm(folder, { recursive: true }));
  process.env.XDG_STATE_HOME = join(folder, 'state');
  let isKnown = true;
  const owners = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    // A failure that is not retried and does not end the batch.
    if (!isKnown) response.writeHead(404).end(JSON.stringify(NOT_KNOWN));
    else response.end('{"owner":"ada","link_id":null}');
  }).listen(0, '127.0.0.1');
  context.after(() => owners.close());
  await once(owners, 'listening');
  const server = `http://127.0.0.1:${(owners.address() as AddressInfo).port}`;
  const journal = await placeOf(server, folder, '.jsonl');
  await mkdir(journal, { recursive: true });
  const output = new Output(true);
  const options: BatchOptions = {
    uploader: createUploader({ server, token: 't', parallel: 1, compress: false }),
    server,
    flags: {},
    atOnce: 1,
    output,
    display: new ProgressDisplay(output),
    tally: new Tally(2, 2),
    checksums: null,
    nameOf: ({ path }) => path,
    signal: new AbortController().signal,
  };
  const batch = new NotedBatch(options);
  const found = (path: string): Found => {
    return {
      path: join(folder, path),
      inFolder: { folder, path },
      sizeBytes: 1,
      modifiedMs: 1,
      changedMs: 1,
      inode: 1,
    };
  };
  // Neither file exists: this error shows that the journal did not stop the batch.
  isKnown = false;
  await batch.run([found('0')]);
  isKnown = true;
  await batch.run([found('a')]);
  rmSync(journal, { recursive: true });
  await batch.run([found('b')]);
  assert.deepEqual(batch.codes, [
    [join(folder, '0'), 'not_found'],
    [join(folder, 'a'), 'EISDIR'],
    [join(folder, 'b'), 'source_unreadable'],
  ]);
});
