/**
 * A Chromium that starts: the one in node_modules, with the system's libraries that it needs, else Debian's. What is missing
 * is installed by apt-get. `npm test` runs this file as a program first, because tests have less time.
 */
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packed from '@sparticuz/chromium';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { installByApt } from '../apt.ts';
import { canInstall } from '../program.ts';

const TESTS = 'the tests in a browser';
/** EX_UNAVAILABLE of sysexits.h. `scripts/test.mjs` leaves the tests that need a browser out then. */
const UNAVAILABLE = 69;
const LIBRARIES = ['libnss3', 'libnspr4', 'libexpat1'];
const DEBIANS_OWN = { packages: ['chromium', 'fonts-dejavu-core'], program: '/usr/bin/chromium' };
/** Beside what it came in, so that another version of the package unpacks anew. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.resolve('@sparticuz/chromium')));
const UNPACKED = join(PACKAGE, 'unpacked');

/** Ways to a browser, the cheapest first. */
const WAYS: readonly (() => Promise<LaunchOptions>)[] = [
  unpack,
  async () => {
    installByApt(LIBRARIES, TESTS);
    return await unpack();
  },
  async () => {
    installByApt(DEBIANS_OWN.packages, TESTS);
    return { executablePath: DEBIANS_OWN.program };
  },
];

/**
 * Close the browser when it is done with.
 *
 * @throws Error that says what to do, when there is no way to a browser.
 */
export async function startChromium(): Promise<Browser> {
  const { CRYOLIFT_TEST_CHROMIUM: chosen } = process.env;
  if (chosen) return await chromium.launch({ executablePath: chosen });
  const failures: string[] = [];
  for (const way of WAYS) {
    try {
      return await chromium.launch(await way());
    } catch (error) {
      failures.push(String(error));
    }
  }
  const remedy =
    'Install Chromium or Chrome, set CRYOLIFT_TEST_CHROMIUM to the path of its program, and run this again.';
  throw new Error(`No browser starts here. ${remedy}\n${failures.join('\n')}`);
}

/** Several processes may come at once: each unpacks into a folder of its own, and the first one's stays. */
async function unpack(): Promise<LaunchOptions> {
  const executablePath = join(UNPACKED, 'chromium');
  const fonts = join(UNPACKED, 'fonts.conf');
  const options = { executablePath, env: { ...process.env, FONTCONFIG_FILE: fonts } };
  if (existsSync(fonts)) return options;
  const own = mkdtempSync(join(PACKAGE, 'unpacking-'));
  const { TMPDIR } = process.env;
  try {
    // Where the package unpacks to.
    process.env.TMPDIR = own;
    await packed.executablePath();
    // With the same fonts everywhere, and on a system that has none.
    writeFileSync(join(own, 'fonts.conf'), `<fontconfig><dir>${UNPACKED}/fonts</dir></fontconfig>\n`);
    renameSync(own, UNPACKED);
  } catch (error) {
    if (!existsSync(fonts)) throw error;
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(own, { recursive: true, force: true });
  }
  return options;
}

if (import.meta.main) {
  try {
    const browser = await startChromium();
    console.log(`Chromium ${browser.version()}`);
    await browser.close();
  } catch (error) {
    console.log(`tests in a browser are left out: ${(error as Error).message}`);
    process.exitCode = canInstall() ? 1 : UNAVAILABLE;
  }
}
