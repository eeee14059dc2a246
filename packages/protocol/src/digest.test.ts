import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, parseDigestHeader, printDigestHeader, toHex } from './digest.ts';

const digest = new Uint8Array(createHash('sha256').update('cryo').digest());
const base64 = Buffer.from(digest).toString('base64');

test('digest header: parse reads what print writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      assert.deepEqual(parseDigestHeader(printDigestHeader(bytes)), { kind: 'sha-256', digest: bytes });
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
    }),
  );
});

test('digest header: any other algorithm, alone or beside sha-256, is unsupported', () => {
  for (const value of [
    `md5=:${base64}:`,
    `sha-256=:${base64}:, sha-512=:AAAA:`,
    `unixsum=:AAAA:,sha-256=:${base64}:`,
  ]) {
    assert.equal(parseDigestHeader(value).kind, 'unsupported', value);
  }
});

test('digest header: anything but a dictionary of byte sequences is malformed', () => {
  const malformed = [
    '',
    ',',
    'sha-256',
    'sha-256=',
    `sha-256=${base64}`,
    `sha-256=:${base64}`,
    `sha-256=:${base64}:;x=1`,
    `SHA-256=:${base64}:`,
    `sha-256 =:${base64}:`,
    'sha-256=:AAAA:',
    `sha-256=:${base64.slice(0, -1)}:`,
    `sha-256=:${base64.slice(0, -2)}B=:`,
    `sha-256=:${base64}:, sha-256=:${base64}:`,
    `sha-256=:${base64}:,`,
    toHex(digest),
  ];
  for (const value of malformed) assert.equal(parseDigestHeader(value).kind, 'malformed', value);
});

test('digest header: parse never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => void parseDigestHeader(value)));
});

test('fromHex: accepts exactly 64 lower-case characters', () => {
  const hex = toHex(digest);
  assert.equal(hex, Buffer.from(digest).toString('hex'));
  for (const value of [hex.toUpperCase(), hex.slice(1), `${hex}0`, '', `g${hex.slice(1)}`])
    assert.equal(fromHex(value), null);
});
