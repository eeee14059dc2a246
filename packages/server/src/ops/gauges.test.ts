import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { registerGauges, type Sources } from './gauges.ts';

const SOURCES: Sources = {
  partsUnderWay: () => 3,
  digestLagBytes: () => 0,
  eventStreams: () => 0,
  uploads: async () => ({ pending: 1, uploading: 2 }),
  jobs: async () => ({}),
  deliveries: async () => ({}),
  space: { read: async () => ({ freeBytes: 10, sizeBytes: 100 }) },
  silentDatasets: async () => 0,
  scrubFaults: async () => ({}),
  lostLogLines: () => 0,
};

/** The samples of a registry of these sources, again and again. */
function reader(changes: Partial<Sources>) {
  const registry = new Registry();
  registerGauges(registry, { ...SOURCES, ...changes });
  return async () => (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('gauges: values are read at every scrape', async () => {
  let pending = 1;
  const read = reader({ uploads: async () => ({ pending, uploading: 2 }) });
  assert.ok((await read()).includes('cryolift_sessions{status="pending"} 1'));
  pending = 0;
  const later = await read();
  for (const line of [
    'cryolift_sessions{status="pending"} 0',
    'cryolift_sessions{status="uploading"} 2',
    'cryolift_parts_under_way 3',
    'cryolift_storage_free_bytes 10',
    'cryolift_storage_size_bytes 100',
    'cryolift_unread_gauges_total{gauge="cryolift_sessions"} 0',
  ]) {
    assert.ok(later.includes(line), line);
  }
});

test('gauges: a failing gauge is omitted, and returns later', async () => {
  let fails = false;
  const failing = async <T>(value: T): Promise<T> => {
    if (fails) throw new Error('gone');
    return value;
  };
  const read = reader({
    uploads: () => failing({ pending: 1 }),
    space: { read: () => failing({ freeBytes: 10, sizeBytes: 100 }) },
  });
  const isFailing = (line: string) => /^cryolift_(sessions|storage_free_bytes|storage_size_bytes)\b/.test(line);
  const before = await read();
  assert.equal(before.filter(isFailing).length, 3);
  fails = true;
  const meanwhile = await read();
  assert.deepEqual(meanwhile.filter(isFailing), []);
  assert.ok(meanwhile.includes('cryolift_parts_under_way 3'));
  fails = false;
  const after = await read();
  assert.deepEqual(after.filter(isFailing), before.filter(isFailing));
  assert.ok(after.includes('cryolift_unread_gauges_total{gauge="cryolift_storage_free_bytes"} 1'));
});

test('gauges: a gauge that hangs is not awaited', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = Promise.withResolvers<void>();
  const read = reader({
    deliveries: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const reading = read();
  await asked.promise;
  t.mock.timers.tick(2000);
  const lines = await reading;
  assert.ok(!lines.some((line) => line.startsWith('cryolift_webhook_deliveries')));
  assert.ok(lines.includes('cryolift_parts_under_way 3'));
});
