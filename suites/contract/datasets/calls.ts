/** Calls of datasets that tests of something else take for granted. */
import assert from 'node:assert/strict';
import type { DatasetRecord, DatasetRequest } from '@cryolift/protocol/messages';
import type { Call } from '../wire.ts';

export async function makeDataset(call: Call, request: DatasetRequest): Promise<DatasetRecord> {
  const answer = await call('POST', '/datasets', { json: request });
  assert.equal(answer.status, 201, answer.body.toString());
  return answer.json<DatasetRecord>();
}

export async function readDataset(call: Call, id: string): Promise<DatasetRecord> {
  const answer = await call('GET', `/datasets/${id}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<DatasetRecord>();
}

/** @returns the record after the call `what`, which has to succeed. */
export async function move(call: Call, id: string, what: string, json: object = {}): Promise<DatasetRecord> {
  const answer = await call('POST', `/datasets/${id}/${what}`, what === 'complete' ? { json } : {});
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<DatasetRecord>();
}
