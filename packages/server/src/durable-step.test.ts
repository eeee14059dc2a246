import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { betweenSteps, durableStep } from './durable-step.ts';

const CHANNEL = 'cryolift:durable-step';

/** @returns what was announced, and done, in its order. */
async function listen(work: (did: string[]) => unknown): Promise<string[]> {
  const did: string[] = [];
  const note = (message: unknown) => {
    const { name, when } = message as { name: string; when: string };
    did.push(`${when} ${name}`);
  };
  subscribe(CHANNEL, note);
  await Promise.resolve(work(did)).catch(() => {});
  unsubscribe(CHANNEL, note);
  return did;
}

test('a step is announced before and after, whether it waits or not', async () => {
  assert.deepEqual(await listen((did) => durableStep('a.b', () => did.push('done'))), [
    'before a.b',
    'done',
    'after a.b',
  ]);
  const waits = (did: string[]) =>
    durableStep('a.b', async () => {
      await Promise.resolve();
      did.push('done');
    });
  assert.deepEqual(await listen(waits), ['before a.b', 'done', 'after a.b']);
  assert.deepEqual(await listen(() => betweenSteps('a.c')), ['between a.c']);
});

test('a step that fails is not announced as done', async () => {
  assert.deepEqual(await listen(() => durableStep('a.b', () => Promise.reject(new Error('no')))), ['before a.b']);
  const fails = () => {
    throw new Error('no');
  };
  assert.deepEqual(await listen(async () => durableStep('a.b', fails)), ['before a.b']);
});

test('without a listener, the step alone is called', () => {
  const promise = Promise.resolve(1);
  assert.equal(
    durableStep('a.b', () => promise),
    promise,
  );
});
