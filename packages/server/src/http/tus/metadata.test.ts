import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { parseMetadata } from './metadata.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const textsOf = (header: string | undefined) =>
  Object.fromEntries([...parseMetadata(header)].map(([key, value]) => [key, value.toString()]));

test('metadata: no header and an empty one have no pairs', () => {
  assert.deepEqual(textsOf(undefined), {});
  assert.deepEqual(textsOf(''), {});
  assert.deepEqual(textsOf('  '), {});
});

test('metadata: values are base64 of UTF-8, and may be empty with or without the space', () => {
  const header = `filename ${base64('größe µ.mrc')},filetype ,is_confidential,b ${base64('2')}`;
  assert.deepEqual(textsOf(header), { filename: 'größe µ.mrc', filetype: '', is_confidential: '', b: '2' });
  assert.deepEqual(textsOf('filetype '), { filetype: '' });
});

test('metadata: spaces after commas are taken, as proxies join headers', () => {
  assert.deepEqual(textsOf(`a ${base64('1')}, b ${base64('2')}`), { a: '1', b: '2' });
});

test('metadata: keys are any text without spaces and commas', () => {
  const utf8 = Buffer.from('schlüssel').toString('latin1');
  assert.deepEqual(textsOf(`__proto__ ${base64('1')},a;b="c" ${base64('2')}`), {
    ['__proto__']: '1',
    'a;b="c"': '2',
  });
  assert.deepEqual(textsOf(`${utf8} ${base64('1')},k\xfcrzel ${base64('2')}`), { schlüssel: '1', kürzel: '2' });
});

test('metadata: what is not base64, not a pair, or twice there is refused', () => {
  const bad = ['a !!!', 'a YQ', 'a YQ=', 'a Y Q==', 'a YQ==,,b', ',', 'a  YQ==', 'a YQ==,a YQ==', 'a YQ==,', 'a YW_-'];
  for (const header of bad) {
    assert.throws(
      () => parseMetadata(header),
      (error) => error instanceof UploadError && error.code === 'invalid_request',
      header,
    );
  }
});
