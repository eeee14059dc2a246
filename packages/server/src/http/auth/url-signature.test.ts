import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import fc from 'fast-check';
import { RotatedKeys } from './signing-keys.ts';
import { isSigned, type SignedRequest, type SignedUse, signUse, verifySignature } from './url-signature.ts';

const keys = new RotatedKeys({ read: async () => null, replace: async () => true }, () => 0);
const key = await keys.current();
const PUT: SignedUse = { method: 'PUT', path: '/uploads/u/part/3', lengthBytes: 100, expiresAtMs: 5000 };
const GET: SignedUse = { method: 'GET', path: '/files/f/content', lengthBytes: null, expiresAtMs: 5000 };

function requestOf(use: SignedUse, changes: Partial<SignedRequest> = {}): SignedRequest {
  const query = Object.fromEntries(new URLSearchParams(signUse(key, use)));
  const contentLength = use.lengthBytes === null ? undefined : String(use.lengthBytes);
  return { method: use.method, path: use.path, query, contentLength, ...changes };
}

async function verify(request: SignedRequest, nowMs = 4999): Promise<number | string> {
  try {
    return await verifySignature(keys, request, nowMs);
  } catch (error) {
    assert.ok(error instanceof UploadError);
    return error.code;
  }
}

test('signed URLs: the signed request is accepted until it expires', async () => {
  for (const use of [PUT, GET]) {
    assert.equal(await verify(requestOf(use)), 5000);
    assert.equal(await verify(requestOf(use), 5000), 'signature_expired');
  }
  assert.equal(await verify(requestOf(GET, { method: 'HEAD' })), 5000);
  assert.equal(await verify(requestOf(GET, { contentLength: '0' })), 5000);
  assert.equal(await verify(requestOf(PUT, { contentLength: undefined })), 5000);
});

test('signed URLs: the signed message is the one of decision 27', () => {
  const message = `["cryolift-url-1","PUT","/uploads/u/part/3",100,5000,"${key.id}"]`;
  const signature = createHmac('sha256', key.secret).update(message).digest('base64url');
  assert.equal(signUse(key, PUT), `cl_exp=5000&cl_key=${key.id}&cl_len=100&cl_sig=${signature}`);
});

test('signed URLs: every other request is refused, expired or not', async () => {
  const others: SignedRequest[] = [
    requestOf(PUT, { method: 'GET' }),
    requestOf(PUT, { method: 'HEAD' }),
    requestOf(PUT, { method: 'DELETE' }),
    requestOf(GET, { method: 'PUT' }),
    requestOf(PUT, { path: '/uploads/u/part/30' }),
    requestOf(PUT, { contentLength: '99' }),
    requestOf(PUT, { contentLength: '0100' }),
    requestOf(PUT, { query: { ...requestOf(PUT).query, more: '' } }),
    requestOf(GET, { query: { ...requestOf(GET).query, cl_len: '5' } }),
    requestOf(PUT, { query: {} }),
  ];
  for (const request of others) {
    assert.equal(await verify(request), 'signature_invalid', JSON.stringify(request));
  }
  assert.equal(await verify(requestOf(PUT, { path: '/uploads/v/part/3' }), 9999), 'signature_invalid');
});

test('signed URLs: other query parameters are refused', async () => {
  const { query } = requestOf(PUT);
  const value = fc.oneof(fc.string(), fc.constantFrom(...(Object.values(query) as string[])), fc.array(fc.string()));
  const name = fc.constantFrom(...Object.keys(query));
  await fc.assert(
    fc.asyncProperty(name, value, async (changed, to) => {
      fc.pre(to !== query[changed]);
      assert.equal(await verify(requestOf(PUT, { query: { ...query, [changed]: to } })), 'signature_invalid');
    }),
    { numRuns: 300 },
  );
});

test('signed URLs: a query with any of the names is checked as signed', () => {
  assert.ok(isSigned({ cl_sig: '' }));
  assert.ok(isSigned({ a: '1', cl_exp: '1' }));
  assert.ok(!isSigned({ a: 'cl_sig', xcl_sig: '1' }));
});
