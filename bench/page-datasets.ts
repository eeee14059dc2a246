/**
 * How soon the page shows datasets and files of a database of 1,000,000 records, 100 datasets of 10,000 files, on SQLite and
 * on PostgreSQL: `npm run bench:page-datasets [-- --files N --rounds N --database NAME…]`. Milliseconds from the change of the
 * address to the content, in Chromium; what is aimed at is 300.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { openPostgresDatabase, openSqliteFile } from '../packages/server/src/db/open.ts';
import { startCluster, urlOf } from '../packages/server/src/db/postgres/test-cluster.ts';
import { PageUnderTest } from '../suites/browser/page-under-test.ts';
import { DATASET_PREFIX, fill } from './records/fill.ts';
import { median } from './report/quantile.ts';

const OWNER = 'owner-of-many';
/** Address, and an element with a text that is there when it is shown. */
const VIEWS: Readonly<Record<string, readonly [hash: string, selector: string, text: string]>> = {
  'list of datasets': ['#datasets', '.dataset', 'dataset'],
  'a dataset': [`#datasets/${DATASET_PREFIX}1`, '.figures', '10,000'],
  'files of a dataset': [`#files?dataset=${DATASET_PREFIX}1`, 'main a', 'session-'],
  'newest files': ['#files?deep=1', 'main a', 'movie-'],
  'folders of files': ['#files', 'main a', 'session-'],
};

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '10' },
    database: { type: 'string', multiple: true, default: ['SQLite', 'PostgreSQL'] },
  },
});
for (const database of values.database) await measure(database);

async function measure(database: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-page-datasets-'));
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const postgres = database === 'PostgreSQL' ? await startCluster({ fsync: true }) : null;
  try {
    await postgres?.run('create database page');
    const url = postgres && urlOf(postgres.url, 'page');
    const db = url ? await openPostgresDatabase(url, () => {}) : await openSqliteFile(join(dataDir, 'cryolift.sqlite'));
    await fill(db, OWNER, { owners: 1, files: Number(values.files), uploads: 0 });
    await db.destroy();
    const under = await PageUnderTest.start({
      CRYOLIFT_DATA_DIR: dataDir,
      CRYOLIFT_RATE_LIMIT: '100000',
      ...(url ? { CRYOLIFT_DATABASE_URL: url } : {}),
    });
    try {
      const page = await under.open(under.newOwner({ sub: OWNER }));
      console.log(`${database}, ${values.files} files: ms, median and most of ${values.rounds}`);
      for (const [name, view] of Object.entries(VIEWS)) {
        const times: number[] = [];
        for (let round = 0; round < Number(values.rounds); round++) times.push(await timeView(page, view));
        console.log(`  ${name.padEnd(20)} ${Math.round(median(times))} ${Math.round(Math.max(...times))}`);
      }
    } finally {
      await under.discard();
    }
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each time anew: what was shown before is not kept. To the frame that shows it. */
async function timeView(page: Page, view: readonly [string, string, string]): Promise<number> {
  await page.evaluate(() => {
    location.hash = '#upload';
  });
  await page.reload();
  await page.getByRole('link', { name: 'Datasets' }).waitFor();
  // What is loaded after the first view.
  await page.waitForTimeout(1_500);
  return await page.evaluate(async ([hash, selector, text]) => {
    const beganMs = performance.now();
    location.hash = hash;
    const isThere = () => [...document.querySelectorAll(selector)].some((each) => each.textContent.includes(text));
    while (!isThere()) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - beganMs;
  }, view);
}
