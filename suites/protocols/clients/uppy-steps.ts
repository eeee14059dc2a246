/** A page of Uppy in front of a Cryolift server, and what a user does on it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { sha256Hex } from '../../contract/sample.ts';
import { eventually } from '../../contract/upload.ts';
import { findPort } from '../../program.ts';
import { type CryoliftUnderTest, findCryolift } from '../cryolift.ts';
import { makeLink } from './link.ts';
import { type SampleFile, SampleFiles } from './sample-files.ts';
import { startUppySite } from './uppy-site.ts';

export interface UppyUnderTest {
  readonly cryolift: CryoliftUnderTest;
  /** Opens the page in a new profile. */
  open(): Promise<Page>;
  /** Writes a file to upload. */
  write(name: string, bytes: Buffer): SampleFile;
  makeFile(name: string, sizeBytes: number): SampleFile;
  /** Waits until the page says that the upload is complete, and the owner of the link has the file. */
  assertPublished(page: Page, sample: SampleFile): Promise<void>;
  /** Requests to the server, without those that ask what is allowed. */
  watch(page: Page): { method: string; offset: number }[];
  discard(): Promise<void>;
}

export async function startUppy(): Promise<UppyUnderTest> {
  const samples = new SampleFiles();
  const site = await startUppySite();
  // The server has the same address after a restart.
  const own = { CRYOLIFT_ACCEPT: '', CRYOLIFT_PORT: String(await findPort()) };
  const starting = findCryolift({ ...own, CRYOLIFT_CORS_ORIGINS: site.origin });
  // A browser that is left running would keep the process of the test.
  starting.catch(() => site.discard());
  const cryolift = await starting;
  await site.point(cryolift.url, await makeLink(cryolift));
  return {
    cryolift,
    open: site.open,
    write: (name, bytes) => samples.write(name, bytes),
    makeFile: (name, sizeBytes) => samples.make(name, sizeBytes),
    async assertPublished(page, { name, bytes }) {
      await page.getByText('Upload complete').waitFor();
      const [file] = await eventually(
        async () => (await cryolift.listFiles()).filter(({ filename }) => filename === name),
        (files) => files.length > 0 && files[0]?.sha256 !== null,
      );
      assert.equal(file?.sha256, sha256Hex(bytes));
      assert.equal(file?.size, bytes.length);
    },
    watch(page) {
      const sent: { method: string; offset: number }[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(cryolift.url) || request.method() === 'OPTIONS') return;
        sent.push({ method: request.method(), offset: Number(request.headers()['upload-offset'] ?? 0) });
      });
      return sent;
    },
    async discard() {
      await site.discard();
      await cryolift.stop();
      samples.remove();
    },
  };
}

export async function choose(page: Page, { path }: SampleFile): Promise<void> {
  await page.locator('input.uppy-Dashboard-input').first().setInputFiles(path);
}

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

export async function send(page: Page): Promise<void> {
  await press(page, 'Upload 1 file');
}

/** Waits until the page says that about so much was sent. */
export async function awaitPercent(page: Page, least: number): Promise<void> {
  await page.waitForFunction(
    (percent) => Number(/(\d+)%/.exec(document.querySelector('#uppy')?.textContent ?? '')?.[1] ?? 0) >= percent,
    least,
    { polling: 50 },
  );
}
