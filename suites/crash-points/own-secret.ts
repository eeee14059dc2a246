/** Calls of a server that has made its own secret for tokens. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signToken, toPayload } from '../contract/token.ts';
import { openSample, putAll } from '../contract/upload.ts';
import { callWith } from '../contract/wire.ts';

/** Publishes a file. @param dataDir of the server. */
export async function publishOne(server: { readonly url: string }, dataDir: string): Promise<void> {
  const secret = readFileSync(join(dataDir, 'jwt-secret'), 'utf8').trim();
  const call = callWith(server, { authorization: `Bearer ${signToken(toPayload({ sub: 'ada' }), 'HS256', secret)}` });
  const { upload, bytes } = await openSample(call, 2);
  await putAll(call, upload, bytes);
  const answer = await call('POST', `/uploads/${upload.upload_id}/complete`);
  assert.equal(answer.status, 200, answer.body.toString());
}
