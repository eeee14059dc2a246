import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoolean, parseList, parseWebUrl } from './values.ts';

test('settings: booleans, lists and URLs are parsed', () => {
  assert.deepEqual(['true', 'YES', '1', 'on'].map(parseBoolean), [true, true, true, true]);
  assert.deepEqual(['false', 'No', '0', 'OFF'].map(parseBoolean), [false, false, false, false]);
  for (const text of ['', 'y', '2', 'truth']) assert.throws(() => parseBoolean(text), /neither true nor false/, text);
  assert.deepEqual(parseList(' a,b  c,,\nd '), ['a', 'b', 'c', 'd']);
  assert.deepEqual(parseList(''), []);
  assert.equal(parseWebUrl('https://example.org/x'), 'https://example.org/x');
  for (const text of ['', 'example.org', 'ftp://example.org', 'file:///etc/passwd', 'http://', '//x']) {
    assert.throws(() => parseWebUrl(text), /is not an http or https URL/, text);
  }
});
