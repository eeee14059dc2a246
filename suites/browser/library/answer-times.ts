/** How soon the library of 12,000 files answers while files arrive. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { fill } from '../../../bench/records/fill.ts';
import { openSqliteFile } from '../../../packages/server/src/db/open.ts';
import { type Owner, PageUnderTest } from '../page-under-test.ts';
import { publishAt } from './library-under-test.ts';

const FILES = 12_000;
const ARRIVALS_PER_SECOND = 5;

/** Milliseconds from the event of the user to the frame that shows the answer. */
export interface AnswerTimes {
  readonly search: number[];
  readonly clear: number[];
  readonly open: number[];
  /** From a key to the frame that shows the letter. */
  readonly letters: number[];
  /** How many files have arrived meanwhile. */
  readonly arrived: number;
}

/** @param rounds how often each is measured. */
export async function measureAnswers(rounds: number): Promise<AnswerTimes> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cryolift-many-files-'));
  const sub = 'owner-of-many';
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const db = await openSqliteFile(join(dataDir, 'cryolift.sqlite'));
  await fill(db, sub, { owners: 1, files: FILES, uploads: 0 });
  await db.destroy();
  const under = await PageUnderTest.start({ CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_RATE_LIMIT: '100000' });
  const owner = under.newOwner({ sub });
  const stop = new AbortController();
  const arriving = arrive(owner, stop.signal);
  try {
    const page = await under.open(owner);
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.goto(`${under.server.url}/#files?deep=1`);
    await page.getByText(/^1\d,\d{3} files ·/).waitFor();
    const times = await measureAll(page, rounds);
    stop.abort();
    return { ...times, arrived: await arriving };
  } finally {
    stop.abort();
    await arriving;
    await under.discard();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function arrive(owner: Owner, signal: AbortSignal): Promise<number> {
  let count = 0;
  const beganMs = performance.now();
  const running: Promise<unknown>[] = [];
  while (!signal.aborted) {
    const dueMs = beganMs + (count * 1000) / ARRIVALS_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    running.push(publishAt(owner, `session-new/raw/arrived-${count++}.mrc`));
  }
  await Promise.all(running);
  return count;
}

async function measureAll(page: Page, rounds: number): Promise<Omit<AnswerTimes, 'arrived'>> {
  const times = { search: [] as number[], clear: [] as number[], open: [] as number[], letters: [] as number[] };
  const field = page.getByRole('searchbox');
  for (let round = 0; round < rounds; round++) {
    const name = `movie-${1000 + round * 37}`;
    await field.click();
    await watchLetters(page);
    await page.keyboard.type(name.slice(0, -1), { delay: 40 });
    const search = await watch(page, 'input', `${name.slice(-1)}`, (text) => {
      const links = [...document.querySelectorAll('.file-link')];
      const [input] = document.querySelectorAll<HTMLInputElement>('input[type=search]');
      return (
        input?.value.endsWith(text) &&
        links.length > 0 &&
        links.every((link) => link.textContent?.includes(input.value))
      );
    });
    await page.keyboard.type(name.slice(-1));
    times.search.push(await search());
    times.letters.push(...(await readLetters(page)));

    const open = await watch(
      page,
      'click',
      `${name}.mrc`,
      (text) => !!document.querySelector(`article[aria-label="${text}"]`),
    );
    await page.getByRole('link', { name: `${name}.mrc`, exact: true }).click();
    times.open.push(await open());

    const clear = await watch(page, 'input', name, (text) => {
      const links = [...document.querySelectorAll('.file-link')];
      return links.length > 5 && links.some((link) => !link.textContent?.includes(text));
    });
    await field.fill('');
    times.clear.push(await clear());
    await page.mouse.move(2, 2);
  }
  return times;
}

/** Measures from the next event of this type to the frame in which the condition holds. */
async function watch(
  page: Page,
  event: 'input' | 'click',
  text: string,
  isThere: (text: string) => boolean | undefined,
): Promise<() => Promise<number>> {
  await page.evaluate(
    ([type, expected, source]) => {
      const holds = new Function(`return (${source})`)() as (text: string) => boolean;
      const measured = new Promise<number>((resolve) => {
        const onEvent = ({ timeStamp }: Event) => {
          const check = () => {
            if (holds(expected)) setTimeout(() => resolve(performance.now() - timeStamp));
            else requestAnimationFrame(check);
          };
          requestAnimationFrame(check);
        };
        addEventListener(type, onEvent, { once: true, capture: true });
      });
      Object.assign(globalThis, { measured });
    },
    [event, text, String(isThere)] as const,
  );
  return async () => await page.evaluate(() => (globalThis as unknown as { measured: Promise<number> }).measured);
}

async function watchLetters(page: Page): Promise<void> {
  await page.evaluate(() => {
    const delays: number[] = [];
    const known = globalThis as unknown as { delays?: number[] };
    if (!known.delays) {
      addEventListener('keydown', ({ timeStamp }) => {
        requestAnimationFrame(() => setTimeout(() => known.delays?.push(performance.now() - timeStamp)));
      });
    }
    known.delays = delays;
  });
}

async function readLetters(page: Page): Promise<number[]> {
  return await page.evaluate(() => (globalThis as unknown as { delays: number[] }).delays);
}
