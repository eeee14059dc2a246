import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { checkMrc } from './check.ts';

const determined = { dmin: 0, dmax: 9, dmean: 4, rms: 2 };

/** The notes on a correct image with these changes; it must have no warnings. */
function notesOf(changes: Partial<HeaderFields>) {
  const header = buildHeader({ nx: 8, ny: 8, nz: 1, mode: 0, ...determined, ...changes });
  const check = checkMrc({ header, sizeBytes: 1024 + (changes.nsymbt ?? 0) + 64 });
  assert.ok(check.verdict === 'accepted');
  assert.deepEqual(check.warnings, []);
  return check.notes;
}

function assertNoted(changes: Partial<HeaderFields>, code: string, message: RegExp) {
  const notes = notesOf(changes);
  assert.deepEqual(
    notes.map((note) => note.code),
    [code],
  );
  assert.match(notes[0]!.message, message);
}

test('map_id_padding: MAP ends in NUL, as MotionCor2 writes it', () => {
  assertNoted({ map: 'MAP\0' }, 'map_id_padding', /space/);
});

test('version_undeclared: NVERSION is not of MRC2014', () => {
  assertNoted({ nversion: 0 }, 'version_undeclared', /NVERSION is 0/);
  assertNoted({ nversion: 1_234_567 }, 'version_undeclared', /1234567/);
  assert.deepEqual(notesOf({ nversion: 20140 }), []);
});

test('extended_type_unknown: EXTTYP is not registered, also with an odd length', () => {
  assertNoted({ nsymbt: 161 }, 'extended_type_unknown', /161 bytes/);
  assertNoted({ nsymbt: 160, exttyp: 'WHAT' }, 'extended_type_unknown', /FEI1/);
  assert.deepEqual(notesOf({ nsymbt: 160, exttyp: 'SERI' }), []);
});

test('labels: NLABL is wrong or labels have gaps', () => {
  assertNoted({ label: ['a'], nlabl: 3 }, 'labels', /NLABL is 3, and 1 /);
  assertNoted({ label: ['a', '', 'b'] }, 'labels', /between/);
  assert.deepEqual(notesOf({ label: ['a', 'b'] }), []);
});

test('statistics: the undetermined statistics are named', () => {
  assertNoted({ dmax: -1, dmean: -2, rms: -1 }, 'statistics', /leaves DMIN and DMAX, DMEAN, RMS undetermined/);
  assertNoted({ rms: -1 }, 'statistics', /leaves RMS undetermined/);
  assertNoted({ dmean: Number.NaN }, 'statistics', /leaves DMEAN undetermined/);
  assertNoted({ rms: 0 }, 'statistics', /RMS is 0/);
  assert.deepEqual(notesOf({ dmin: 3, dmax: 3, dmean: 3, rms: 0 }), []);
});
