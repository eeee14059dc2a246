import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoolean, parseDictionary, parseInteger, printBoolean, printDictionary } from './fields.ts';

test('structured fields: a boolean is ?0 or ?1, and nothing else', () => {
  assert.equal(parseBoolean('?1'), true);
  assert.equal(parseBoolean('?0'), false);
  assert.equal(parseBoolean(' ?1;a=b'), true);
  for (const other of [undefined, '', '1', 'true', '?2', '?1, ?1', '?1 ?0', ['?1']]) {
    assert.equal(parseBoolean(other), null, String(other));
  }
  assert.deepEqual([printBoolean(true), printBoolean(false)], ['?1', '?0']);
});

test('structured fields: an integer has at most 15 digits, no sign and no fraction', () => {
  assert.equal(parseInteger('0'), 0);
  assert.equal(parseInteger('999999999999999'), 999_999_999_999_999);
  assert.equal(parseInteger('7 ;a=1'), null, 'RFC 9651 has no blank before a parameter');
  assert.equal(parseInteger('7;a=1'), 7);
  for (const other of [undefined, '', '-1', '5.0', '1e3', '+1', '1000000000000000', '1, 2', 'a', '"5"', ['5']]) {
    assert.equal(parseInteger(other), null, String(other));
  }
});

test('structured fields: a dictionary has numbers and tokens', () => {
  assert.equal(printDictionary({ 'max-size': 10, commit: 'explicit' }), 'max-size=10, commit=explicit');
  assert.equal(printDictionary({ 'max-size': Number.MAX_SAFE_INTEGER }), 'max-size=999999999999999');
  assert.deepEqual([...(parseDictionary('sha-256=10, unixsum=1')?.keys() ?? [])], ['sha-256', 'unixsum']);
  assert.equal(parseDictionary('sha-256=:='), null);
  assert.equal(parseDictionary(undefined), null);
});
