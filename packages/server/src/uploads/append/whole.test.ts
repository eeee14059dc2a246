import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppendProtocol } from '../../append-protocol.ts';
import type { UploadContext } from '../context.ts';
import { makeUploads, readRow } from '../test-uploads.ts';
import { beginAppend } from './append.ts';
import { createAppended } from './creation.ts';
import { completeWholeUploads } from './whole.ts';

async function send(
  context: UploadContext,
  protocol: AppendProtocol,
  sizeBytes: number,
  isPartial = false,
): Promise<string> {
  const request = { filename: 'a.bin', metadata: {}, sha256: null, rawMetadata: null, protocol, sizeBytes, isPartial };
  const { uploadId } = await createAppended(context, 'ada', request, null);
  const body = { uploadId, offset: 0, lengthBytes: 250, checksum: null, requestId: 'r' };
  const receiver = await beginAppend(context, { owner: 'ada' }, body);
  await receiver.write(Buffer.alloc(250));
  await receiver.commit();
  return uploadId;
}

test('whole uploads: those of tus are completed, and no others', async (t) => {
  const context = await makeUploads(t);
  const whole = await send(context, 'tus', 250);
  const open = [
    await send(context, 'tus', 251),
    await send(context, 'tus', 250, true),
    // Its client says when it is complete.
    await send(context, 'resumable', 250),
  ];
  await completeWholeUploads(context);
  await context.completions.settle();
  assert.equal((await readRow(context, whole)).status, 'completed');
  for (const id of open) assert.equal((await readRow(context, id)).status, 'uploading');
});
