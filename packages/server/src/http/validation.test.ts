import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { Type } from 'typebox';
import { createValidator, requireStrictQueries } from './validation.ts';

function app() {
  const made = fastify();
  made.setValidatorCompiler(createValidator());
  requireStrictQueries(made);
  return made;
}

test('queries: a route whose schema allows any parameter cannot be registered', () => {
  const querystring = Type.Object({ limit: Type.Optional(Type.Integer()) });
  assert.throws(
    () => app().get('/lax', { schema: { querystring } }, () => ''),
    /GET \/lax: .*additionalProperties: false/,
  );
});

test('queries: a route without a query schema accepts no query, unless it is not in the document', async () => {
  const made = app();
  made.get('/documented', {}, () => 'yes');
  made.get('/hidden', { schema: { hide: true } }, () => 'yes');
  const status = async (url: string) => (await made.inject(url)).statusCode;
  assert.equal(await status('/documented'), 200);
  assert.equal(await status('/documented?x=1'), 400);
  assert.equal(await status('/hidden?x=1'), 200);
  await made.close();
});

test('queries: a number in a query is an integer in one spelling, for all bounds', async () => {
  const made = app();
  const querystring = Type.Object({ n: Type.Integer() }, { additionalProperties: false });
  made.get('/', { schema: { querystring } }, ({ query }) => query);
  for (const n of ['0', '7', '-7']) assert.deepEqual((await made.inject(`/?n=${n}`)).json(), { n: Number(n) });
  for (const n of ['-0', '07', '7.0', '7e0', '0x7', ' 7', '', '1e309', '12345678901234567']) {
    assert.equal((await made.inject(`/?n=${encodeURIComponent(n)}`)).statusCode, 400, n);
  }
  await made.close();
});
