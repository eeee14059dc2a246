import assert from 'node:assert/strict';
import type { CryoliftUnderTest } from '../cryolift.ts';
import { exchange } from '../exchange.ts';

/** @returns the token of a new upload link of the owner: `cl_link_…`. */
export async function makeLink({ url, headers }: Pick<CryoliftUnderTest, 'url' | 'headers'>): Promise<string> {
  const answer = await exchange({ method: 'POST', url: `${url}/links`, headers });
  assert.equal(answer.status, 201, `${answer.body}`);
  return (JSON.parse(answer.body.toString()) as { token: string }).token;
}
