/**
 * 500 small files by the page and by `cryolift upload`, to one server, in turns: `npm run bench:page-small-files`. What is
 * aimed at is that the page takes at most twice the time of the command line. The time of the page is from the drop of the
 * folder to its line "500 files uploaded"; that of the command line from its start to its end.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drop, type Owner, PageUnderTest } from '../suites/browser/page-under-test.ts';
import { makeMrc } from '../suites/contract/sample.ts';
import { CLI } from './cryolift.ts';
import { median } from './report/quantile.ts';

const FILES = 500;
const BYTES = 64 * 1024;
const ROUNDS = Number(process.argv[2] ?? 3);

const under = await PageUnderTest.start();
const folder = join(under.folder, 'session');
mkdirSync(folder);
for (let index = 0; index < FILES; index++) writeFileSync(join(folder, `movie_${index}.mrc`), makeMrc(BYTES));

async function countFiles({ call }: Owner): Promise<number> {
  return (await call('GET', '/limits')).json<{ used_files: number }>().used_files;
}

/** Runs in the page. */
function isDone(text: string): boolean {
  return document.querySelector('.total strong')?.textContent === text;
}

async function uploadByPage(): Promise<number> {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const startedMs = performance.now();
  await drop(page, [folder]);
  // Looking for a text ten times a second would take time from the page.
  await page.waitForFunction(isDone, `${FILES} files uploaded`, { polling: 200, timeout: 300_000 });
  const seconds = (performance.now() - startedMs) / 1000;
  if ((await countFiles(owner)) !== FILES) throw new Error('the page has not uploaded every file');
  await page.context().close();
  return seconds;
}

async function uploadByCommand(): Promise<number> {
  const owner = under.newOwner();
  const home = mkdtempSync(join(tmpdir(), 'cryolift-home-'));
  const env = { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, CRYOLIFT_TOKEN: owner.token };
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'upload', '-r', folder, '--server', under.server.url], {
    env,
    encoding: 'utf8',
  });
  const seconds = (performance.now() - startedMs) / 1000;
  rmSync(home, { recursive: true });
  if (status !== 0 || (await countFiles(owner)) !== FILES) throw new Error(`the command line failed: ${stderr}`);
  return seconds;
}

try {
  const [byCommand, byPage]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    byCommand.push(await uploadByCommand());
    byPage.push(await uploadByPage());
    console.log(
      `round ${round + 1}: command line ${byCommand.at(-1)?.toFixed(2)} s, page ${byPage.at(-1)?.toFixed(2)} s`,
    );
  }
  const [command, page] = [median(byCommand), median(byPage)];
  console.log(
    `median: command line ${command.toFixed(2)} s, page ${page.toFixed(2)} s, ${(page / command).toFixed(2)} times`,
  );
} finally {
  await under.discard();
}
