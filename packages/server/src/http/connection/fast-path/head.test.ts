import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Head, MAX_HEAD_BYTES, readHead } from './head.ts';

const PART = 'PUT /uploads/01ABC/part/7 HTTP/1.1\r\n';

function read(text: string): Head {
  return readHead(Buffer.from(text, 'latin1'));
}

test('head: a plain part has the end of its head and the length of its body', () => {
  const text = `${PART}Host: x\r\ncontent-length: 12\r\n\r\n`;
  assert.deepEqual(read(`${text}body`), { kind: 'plain', headBytes: text.length, bodyBytes: 12, isRaw: true });
});

test('head: a signed part is a part', () => {
  const head = read('PUT /uploads/01ABC/part/7?cl_exp=1&cl_sig=a-_ HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n');
  assert.ok(head.kind === 'plain' && head.isRaw);
});

test('head: appended bodies are raw, also below names and with a query', () => {
  for (const line of [
    'POST /resumable',
    'POST /resumable?token=cl_link_x',
    'PUT /resumable/a%20b.mrc',
    'PATCH /resumable/uploads/01ABC?token=cl_link_x',
  ]) {
    const head = read(`${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n`);
    assert.ok(head.kind === 'plain' && head.isRaw, line);
  }
});

test('head: other requests can be plain, too', () => {
  for (const line of [
    'GET /uploads/01ABC',
    'POST /uploads/init',
    'PUT /uploads/01ABC/part/x',
    'PUT /uploads/a%2f/part/1',
  ]) {
    const head = read(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.ok(head.kind === 'plain' && !head.isRaw && head.bodyBytes === 0, line);
  }
});

test('head: every beginning of a plain head is incomplete', () => {
  const text = `${PART}Host: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n`;
  for (let length = 1; length < text.length; length++) {
    assert.equal(read(text.slice(0, length)).kind, 'incomplete', JSON.stringify(text.slice(0, length)));
  }
  assert.equal(read(text).kind, 'plain');
});

const FIELDS_OF_OTHERS = [
  'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 05',
  'Content-Length: 0x5',
  'Content-Length: 5 ',
  'Content-Length:  5',
  'Content-Length:\t5',
  'Content-Length:',
  'Content-Length: 1234567890123456',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Transfer-Encoding: chunked',
  'TRANSFER-ENCODING: identity',
  'Transfer-Encoding : chunked',
  'X: a\r\n folded',
  'X: a\nContent-Length: 5',
  'X: a\rb',
  'X: a\0b',
  'X: \x7f',
  'X: \xe9',
  ': x',
  'X',
  'Upgrade: websocket',
  'Connection: upgrade',
  'Connection: close, keep-alive',
  'Trailer: x',
  'TE: trailers',
  'Expect: 200-ok',
];

for (const fields of FIELDS_OF_OTHERS) {
  test(`head: not plain: ${JSON.stringify(fields)}`, () => {
    assert.equal(read(`${PART}Host: x\r\n${fields}\r\n\r\n`).kind, 'other');
  });
}

const LINES_OF_OTHERS = [
  '\r\nGET / HTTP/1.1',
  'get / HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/1.1 ',
  'GET / http/1.1',
  'GET /',
  'GET http://x/ HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT x:1 HTTP/1.1',
  'GET /\xe9 HTTP/1.1',
  'PRI * HTTP/2.0',
  '\x16\x03\x01',
];

for (const line of LINES_OF_OTHERS) {
  test(`head: not plain: ${JSON.stringify(line)}`, () => {
    assert.equal(read(`${line}\r\nHost: x\r\n\r\n`).kind, 'other');
  });
}

test('head: a head that cannot become plain is found before its end', () => {
  for (const text of [
    'X',
    'GET\t',
    'GET /\n',
    `${PART}Host: x\n`,
    `${PART}Host: x\r\n `,
    `${PART}Transfer-Encoding: x\r\nA`,
  ]) {
    assert.equal(read(text).kind, 'other', JSON.stringify(text));
  }
});

test('head: a head of more than 8 KiB is not plain, complete or not', () => {
  const open = `${PART}X: `;
  const fits = `${open.padEnd(MAX_HEAD_BYTES - 4, 'x')}\r\n\r\n`;
  assert.equal(read(fits).kind, 'plain');
  assert.equal(read(`${open.padEnd(MAX_HEAD_BYTES - 3, 'x')}\r\n\r\n`).kind, 'other');
  assert.equal(read(open.padEnd(MAX_HEAD_BYTES, 'x')).kind, 'incomplete');
  assert.equal(read(open.padEnd(MAX_HEAD_BYTES + 1, 'x')).kind, 'other');
});
