import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRequestId, requestIdOf } from './request-id.ts';

test("request id: the client's id is kept when it is one word of safe characters", () => {
  for (const id of ['a', '7', 'req-1', 'a.b:c_d-e', '01J9ZQ', 'x'.repeat(128)]) {
    assert.equal(requestIdOf({ headers: { 'x-request-id': id } }), id);
  }
});

test('request id: any other id is replaced', () => {
  const bad = [
    '',
    ' a',
    'a b',
    '-a',
    '.a',
    'a\n',
    'a\r\nSet-Cookie: x',
    'ä',
    '<a>',
    'a"b',
    'x'.repeat(129),
    ['a', 'b'],
  ];
  for (const id of [...bad, undefined]) {
    const headers = id === undefined ? {} : { 'x-request-id': id as string };
    assert.match(requestIdOf({ headers }), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, String(id));
  }
});

test('request id: no id is made twice', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newRequestId)).size, 1000);
});
