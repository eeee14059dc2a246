/** A server, and calls that make and use its upload links. */
import assert from 'node:assert/strict';
import { initRequest } from '../contract/upload.ts';
import { type Call, callWith } from '../contract/wire.ts';
import { findServer } from '../server-under-test.ts';

export interface Link {
  readonly link_id: string;
  readonly expires_at: string;
  readonly url: string;
  readonly token: string;
}

export const server = await findServer();

export async function makeLink(owner: Call, request?: object): Promise<Link & { readonly call: Call }> {
  const answer = await owner('POST', '/links', request === undefined ? {} : { json: request });
  assert.equal(answer.status, 201, answer.body.toString());
  const link = answer.json<Link>();
  return { ...link, call: callWith(server, { authorization: `Bearer ${link.token}` }) };
}

export const init = (call: Call, fields: object = {}, key?: string) =>
  call('POST', '/uploads/init', {
    json: { ...initRequest(), ...fields },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });
