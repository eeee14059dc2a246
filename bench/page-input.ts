/**
 * How soon the page answers the keyboard while four parts of 8 MiB are in flight: `npm run bench:page`. What is aimed at is
 * 100 ms from the press to the frame that shows it, for three of four presses.
 */
import { truncateSync } from 'node:fs';
import { drop, PageUnderTest, throttle, uploadRow, writeMrc } from '../suites/browser/page-under-test.ts';
import { quantile } from './report/quantile.ts';

const MIB = 1024 * 1024;
/** Only from 1 GiB on are parts so large; most of it is a hole. */
const SECTIONS = 128;
const TEXT = 'a search for something';

const under = await PageUnderTest.start();
try {
  const page = await under.open(under.newOwner());
  const path = writeMrc(under.folder, 'busy.mrc', 1, { nz: SECTIONS });
  truncateSync(path, 1024 + SECTIONS * 8 * MIB);
  // A line slower than the disk, so that parts wait for it.
  await throttle(page, 2 * MIB);
  await drop(page, [path]);
  const parts = uploadRow(page, 'busy.mrc').getByRole('img', { name: /of 129 parts received, [4-9] in flight/ });
  await parts.waitFor();
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByRole('searchbox').focus();
  await page.evaluate(() => {
    const delays: number[] = [];
    Object.assign(globalThis, { delays });
    addEventListener('keydown', ({ timeStamp }) => {
      requestAnimationFrame(() => setTimeout(() => delays.push(performance.now() - timeStamp)));
    });
  });
  await page.keyboard.type(TEXT, { delay: 20 });
  const read = () => (globalThis as unknown as { delays: number[] }).delays;
  await page.waitForFunction(
    (count) => (globalThis as unknown as { delays: number[] }).delays.length === count,
    TEXT.length,
  );
  const delays = await page.evaluate(read);
  console.log(
    `median ${Math.round(quantile(delays, 0.5))} ms, three of four within ${Math.round(quantile(delays, 0.75))} ms`,
  );
} finally {
  await under.discard();
}
