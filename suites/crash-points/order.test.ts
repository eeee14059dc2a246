/**
 * The order of the durable steps. A killed process loses nothing that it has written, flushed or not: only the order shows
 * that the bytes are on the disk before something relies on them.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CrashSite } from './crash-site.ts';
import { type DeploymentName, stopServices, whyNoDeployment } from './deployments.ts';

const TIMEOUT_MS = 5 * 60_000;

/** What must be found between two moments, in this order; others may be between them. */
interface Rule {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly steps: readonly string[];
}

/** @param flush how the file is flushed, and what comes before. */
function publish(from: string, flush: readonly string[]): Rule {
  return {
    what: 'a file is flushed, moved and sealed, and its folders are flushed, before it is recorded',
    from,
    to: 'upload.recorded between',
    steps: [
      ...flush,
      ...['disk.rename before', 'disk.rename after', 'disk.set-mode before', 'disk.set-mode after'],
      ...['disk.sync-folder after', 'disk.sync-folder after', 'disk.sync-folder after'],
      'upload.published between',
    ],
  };
}
const DELETE: Rule = {
  what: 'the removal of a file is flushed before its record goes',
  from: 'file.deleted between',
  to: 'file.removed between',
  steps: ['disk.remove before', 'disk.remove after', 'disk.sync-folder after'],
};
/** @param stored how a piece is stored. @param commit of the database. */
function piece(stored: readonly string[], commit: string): Rule {
  return {
    what: 'a piece is stored before its row is committed',
    from: 'upload.opened between',
    to: 'append.piece-recorded between',
    steps: [...stored, 'append.piece-stored between', `${commit} before`, `${commit} after`],
  };
}

const ORDER: Readonly<Record<DeploymentName, readonly Rule[]>> = {
  disk: [
    {
      what: 'a part is written before its row is committed, and that before its answer',
      from: 'upload.opened between',
      to: 'part.recorded between',
      steps: [
        ...['disk.create after', 'disk.truncate after', 'disk.write before', 'disk.write after'],
        ...['part.stored between', 'sqlite.commit-group before', 'sqlite.commit-group after'],
      ],
    },
    piece(['disk.write before', 'disk.write after'], 'sqlite.commit'),
    // After the writes of its three parts; the publish flushes what was not flushed before it.
    publish('upload.opened between', [
      ...['disk.write after', 'disk.write after', 'disk.write after', 'disk.flush before', 'disk.flush after'],
    ]),
    DELETE,
  ],
  shared: [
    {
      what: 'a part is written and flushed before its row is committed',
      from: 'upload.opened between',
      to: 'part.recorded between',
      steps: [
        ...['disk.create after', 'disk.truncate after', 'disk.write after', 'disk.sync before', 'disk.sync after'],
        ...['part.stored between', 'postgres.commit before', 'postgres.commit after'],
      ],
    },
    piece(['disk.write after', 'disk.sync before', 'disk.sync after'], 'postgres.commit'),
    publish('upload.digested between', ['disk.sync before', 'disk.sync after']),
    DELETE,
  ],
  bucket: [
    {
      what: 'a part is answered for by the bucket before its row is committed',
      from: 'upload.opened between',
      to: 'part.recorded between',
      steps: [
        ...['s3.create before', 's3.create after', 's3.upload-part before', 's3.upload-part after'],
        ...['part.stored between', 'postgres.commit before', 'postgres.commit after'],
      ],
    },
    piece(['s3.put before', 's3.put after'], 'postgres.commit'),
    {
      what: 'the object is made before the file is recorded',
      from: 'upload.verifying between',
      to: 'upload.recorded between',
      steps: [
        ...['s3.complete before', 's3.complete after', 'upload.assembled between', 'upload.digested between'],
        ...['upload.published between', 'postgres.commit after'],
      ],
    },
    {
      what: 'the object is removed before its record goes',
      from: 'file.deleted between',
      to: 'file.removed between',
      steps: ['s3.remove before', 's3.remove after'],
    },
  ],
};

after(stopServices);

for (const [name, rules] of Object.entries(ORDER) as [DeploymentName, readonly Rule[]][]) {
  // Invariants 1, 2
  test(`the durable steps have their order: ${name}`, {
    timeout: TIMEOUT_MS,
    skip: whyNoDeployment(name) ?? false,
  }, async () => {
    const site = await CrashSite.open(name);
    const moments = await site.trace().finally(() => site.close(null));
    assert.deepEqual(site.ledger.faults, []);
    for (const rule of rules) assert.deepEqual(findMissing(moments, rule), null, rule.what);
  });
}

test('a step out of its order is found', () => {
  const rule: Rule = { what: '', from: 'a', to: 'z', steps: ['sync', 'rename'] };
  assert.equal(findMissing(['rename', 'a', 'sync', 'x', 'rename', 'z'], rule), null);
  assert.equal(findMissing(['a', 'rename', 'sync', 'z', 'rename'], rule), 'rename');
  assert.equal(findMissing(['a', 'rename', 'z'], rule), 'sync');
  assert.equal(findMissing(['b', 'z'], rule), 'a');
});

/** Looks at the first such window. @returns the first moment that is not where it must be; null: all are. */
function findMissing(moments: readonly string[], { from, to, steps }: Rule): string | null {
  const end = moments.indexOf(to);
  if (end < 0) return to;
  const start = moments.lastIndexOf(from, end);
  if (start < 0) return from;
  let at = start;
  for (const step of steps) {
    at = moments.indexOf(step, at + 1);
    if (at < 0 || at > end) return step;
  }
  return null;
}
