import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { decideSignedness, type Signedness } from './signedness.ts';

const SHAPE = { nx: 100, ny: 100, nz: 20, mode: 0 };
const UNSET = { dmin: 0, dmax: 0, dmean: 0, rms: 0 };

function decide(fields: Partial<HeaderFields>, given?: Signedness) {
  const decision = decideSignedness(parseHeader(buildHeader({ ...SHAPE, ...fields })), given);
  return decision && `${decision.value} by ${decision.evidence.code}`;
}

test("mode 0: IMOD's rule decides when the header has a stamp or statistics", () => {
  assert.equal(decide({ imodStamp: IMOD_STAMP, imodFlags: 1, dmin: 0, dmax: 255, dmean: 90 }), 'signed by imod_stamp');
  assert.equal(decide({ imodStamp: IMOD_STAMP, imodFlags: 16, dmin: -5, dmax: 5, dmean: 0 }), 'unsigned by imod_stamp');
  const said = (dmin: number, dmax: number) => decide({ imodFlags: 1, dmin, dmax, dmean: 1 });
  assert.equal(said(0, 255), 'unsigned by statistics');
  assert.equal(said(-5, 127), 'signed by statistics');
  assert.equal(said(-5, 255), 'unsigned by statistics');
  assert.equal(said(-128, 255), 'signed by statistics');
  assert.equal(said(-127, 255), 'unsigned by statistics');
  assert.equal(said(0, 127), 'unsigned by statistics');
  assert.equal(decide({ mode: 1, dmin: -5, dmax: 5 }), null);
});

test('mode 0: NVERSION decides without statistics, and the owner overrides everything', () => {
  assert.equal(decide({ ...UNSET, nversion: 20140 }), 'signed by version');
  assert.equal(decide({ nversion: 20141 }), 'signed by version');
  assert.equal(decide({ ...UNSET, nversion: 0 }), 'unsigned by default');
  assert.equal(decide({ ...UNSET, nversion: 999_999 }), 'unsigned by default');
  assert.equal(decide({ imodStamp: IMOD_STAMP, imodFlags: 1 }, 'unsigned'), 'unsigned by given');
  assert.equal(decide({ dmin: 0, dmax: 255, dmean: 90 }, 'signed'), 'signed by given');
});
