/**
 * Starts Chromium: the one in node_modules with the system libraries that it needs, else the one of Debian. Missing packages
 * are installed with apt-get. `npm test` runs this file first as a program, because tests have shorter time limits.
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
/** In the folder of the package, so that another version of the package is unpacked again. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.resolve('@sparticuz/chromium')));
const UNPACKED = join(PACKAGE, 'unpacked');

/** Ways to get a browser, the fastest first. */
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
 * The caller closes the browser.
 *
 * @param args further arguments of its program.
 * @throws Error with a remedy when no browser starts.
 */
export async function startChromium(args: readonly string[] = []): Promise<Browser> {
  const { CRYOLIFT_TEST_CHROMIUM: chosen } = process.env;
  if (chosen) return await chromium.launch({ executablePath: chosen, args: [...args] });
  const failures: string[] = [];
  for (const way of WAYS) {
    try {
      const options = await way();
      return await chromium.launch({ ...options, args: [...(options.args ?? []), ...args] });
    } catch (error) {
      failures.push(String(error));
    }
  }
  const remedy =
    'Install Chromium or Chrome, set CRYOLIFT_TEST_CHROMIUM to the path of its program, and run this again.';
  throw new Error(`No browser starts here. ${remedy}\n${failures.join('\n')}`);
}

/** Several processes may unpack at the same time: each uses its own folder, and the first one is kept. */
async function unpack(): Promise<LaunchOptions> {
  const executablePath = join(UNPACKED, 'chromium');
  const fonts = join(UNPACKED, 'fonts.conf');
  const options = { executablePath, env: { ...process.env, FONTCONFIG_FILE: fonts } };
  if (existsSync(fonts)) return options;
  const own = mkdtempSync(join(PACKAGE, 'unpacking-'));
  const { TMPDIR } = process.env;
  try {
    // The package unpacks into TMPDIR.
    process.env.TMPDIR = own;
    await packed.executablePath();
    // Use the fonts of the package: the same everywhere, also on a system without fonts.
    writeFileSync(join(own, 'fonts.conf'), '<fontconfig><dir prefix="relative">fonts</dir></fontconfig>\n');
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
