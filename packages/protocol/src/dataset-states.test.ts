import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DATASET_EVENTS,
  DATASET_STATES,
  datasetAfter,
  datasetStatesAllowing,
  datasetTarget,
} from './dataset-states.ts';

test('dataset states: each event leads to one state, from wherever it is allowed', () => {
  for (const event of DATASET_EVENTS) {
    const targets = new Set(
      DATASET_STATES.map((state) => datasetAfter(state, event)).filter((state) => state !== null),
    );
    assert.deepEqual([...targets], [datasetTarget(event)], event);
  }
});

test('dataset states: what is open does not expire, and what has expired stays so', () => {
  assert.deepEqual(datasetStatesAllowing('expire'), ['complete', 'released']);
  assert.ok(DATASET_EVENTS.every((event) => datasetAfter('expired', event) === null));
});

test('dataset states: what was released takes no files any more', () => {
  assert.deepEqual(datasetStatesAllowing('reopen'), ['complete']);
});
