/** The page in Chromium: files are dropped on it, and it is reloaded, throttled and cut off from the network. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../../browser/chromium.ts';
import { drop, throttle, uploadRow } from '../../browser/page-under-test.ts';
import type { Entry, Ledger } from '../../reliability/ledger.ts';
import { type Actor, drawSize, repeat, runUntilDone } from '../scene.ts';
import { checkPublished, openEntry } from './published.ts';

const MEAN_PAUSE_MS = 25_000;
const MIB = 1024 * 1024;
const MOST_FILES = 3;
const OPEN_MS = 60_000;
const POLL_MS = 500;

export async function runPageClient(actor: Actor): Promise<void> {
  const { scene, owner, random } = actor;
  const home = join(scene.folder, owner);
  mkdirSync(home);
  const profile = new Profile(scene.ledger);
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const files = Array.from({ length: random.whole(1, MOST_FILES) }, (_, at) => {
      const { entry, bytes } = openEntry(actor, nth * MOST_FILES + at, drawSize(random, scene.mostBytes), 'command');
      const path = join(home, entry.plan.filename);
      writeFileSync(path, bytes);
      return { entry, path };
    });
    scene.tally.page.started += files.length - 1;
    const runs = await uploadAll(actor, profile, files);
    await profile.leave();
    for (const { path } of files) rmSync(path);
    for (const { entry } of files) {
      // A file that was published while the page was reloaded is sent again.
      if (runs > 0) await checkPublished(actor, entry, runs === 1 ? 'one' : 'any');
      else scene.tally.page.wrong++;
    }
  });
  await profile.close();
}

/** A profile of the browser with one page, which is new where it is not there: a browser may crash. */
class Profile {
  readonly #ledger: Ledger;
  #browser: Browser | null = null;
  #page: Page | null = null;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async page(): Promise<Page> {
    if (this.#page && this.isAlive) return this.#page;
    if (!this.isAlive) this.#browser = await startChromium();
    const context = await (this.#browser as Browser).newContext();
    context.setDefaultTimeout(OPEN_MS);
    await context.addInitScript(withoutHandles);
    context.on('weberror', (error) => this.#ledger.noteFault(null, `an error in the page: ${error.error().stack}`));
    this.#page = await context.newPage();
    this.#page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
    return this.#page;
  }

  get isAlive(): boolean {
    return this.#browser?.isConnected() ?? false;
  }

  async leave(): Promise<void> {
    const page = this.#page;
    this.#page = null;
    if (this.isAlive) await page?.context().close();
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }
}

interface Dropped {
  readonly entry: Entry;
  readonly path: string;
}

/** From signing in to the last file. @returns how often it was begun; 0: it has failed. */
async function uploadAll(actor: Actor, profile: Profile, files: readonly Dropped[]): Promise<number> {
  const { scene, owner } = actor;
  const [first] = files as [Dropped];
  const left = new Set(files);
  let runs = 0;
  const isDone = await runUntilDone(
    actor,
    first.entry,
    async (again) => {
      runs++;
      const page = await profile.page();
      await page.goto(`${scene.url}/?run=${again}#token=${scene.token(owner)}`);
      await page.getByRole('navigation').waitFor();
      await dropAndWait(actor, page, left);
    },
    () => !profile.isAlive,
  );
  return isDone ? runs : 0;
}

/** @param files that are not done; those that are leave it. */
async function dropAndWait(actor: Actor, page: Page, files: Set<Dropped>): Promise<void> {
  const { random, scene } = actor;
  await throttle(page, random.whole(MIB, 16 * MIB));
  await drop(
    page,
    [...files].map(({ path }) => path),
  );
  if (random.chance(0.2)) {
    await sleep(random.whole(100, 3000));
    scene.note('page: no network for a while');
    await scene.disturbances.during(async () => {
      await throttle(page, 0);
      await sleep(random.whole(500, 8000));
      await throttle(page);
    });
  }
  for (const file of files) {
    await waitUntilDone(actor, page, file.entry);
    files.delete(file);
  }
}

/** Presses the button that the page offers, when it has given up. @throws Error when the upload is gone from the page. */
async function waitUntilDone({ scene, random }: Actor, page: Page, { plan }: Entry): Promise<void> {
  const row = uploadRow(page, plan.filename);
  for (;;) {
    const state = await row.first().getAttribute('data-state');
    if (state === 'done') return;
    if (state === 'failed' || state === 'refused') {
      scene.note(`page: ${plan.filename} is ${state}: ${(await row.first().innerText()).replace(/\s+/g, ' ')}`);
      throw new Error(`the page says that ${plan.filename} is ${state}`);
    }
    if (random.chance(0.01)) {
      scene.disturbances.strike();
      throw new Error('reloaded');
    }
    await sleep(POLL_MS);
  }
}

/** Without handles the page reads dropped files themselves; the headless browser cannot keep handles. */
function withoutHandles(): void {
  Reflect.deleteProperty(window, 'showOpenFilePicker');
  Reflect.deleteProperty(DataTransferItem.prototype, 'getAsFileSystemHandle');
}
