/**
 * Runs before `npm start` and `npm test`: builds the web page into packages/server/dist/page, unless it is there and made
 * of the same sources. Two of these at once do no harm: each builds aside, and moves the whole into place. It runs on
 * Node 20, which has no `globSync`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(ROOT, 'packages/server/dist/page');
const SOURCES = [
  'package-lock.json',
  'scripts/build-page.mjs',
  ...['index.html', 'package.json', 'vite.config.ts', 'src', 'public'].map((path) => `packages/web/${path}`),
  ...['client', 'mrc', 'protocol'].map((name) => `packages/${name}/src`),
];
const COMPRESSED = /\.(js|css|html|svg|webmanifest)$/;
/** Smaller ones fit into one packet anyway. */
const COMPRESSED_FROM_BYTES = 1024;

const version = hashSources();
if (readVersion() !== version) await build();

/** Content and not times: a fresh checkout of the same sources needs no build. */
function hashSources() {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((path) => listFiles(ROOT, path)).filter((file) => !file.endsWith('.test.ts'));
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

/** @returns the file itself, or all files below a folder, from `root` on. */
function listFiles(root, path) {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => listFiles(root, join(path, name)));
}

/** What the page that is there was made of; null without one. */
function readVersion() {
  try {
    return readFileSync(join(PAGE, 'version.txt'), 'utf8');
  } catch {
    return null;
  }
}

async function build() {
  console.error('cryolift: building the web page ...');
  const { build: bundle } = await import('vite');
  const aside = `${PAGE}.${process.pid}`;
  try {
    const configFile = join(ROOT, 'packages/web/vite.config.ts');
    await bundle({ configFile, logLevel: 'warn', build: { outDir: aside } });
    for (const file of listFiles(aside, '.')) if (COMPRESSED.test(file)) compress(join(aside, file));
    writeFileSync(join(aside, 'version.txt'), version);
    rmSync(PAGE, { recursive: true, force: true });
    renameSync(aside, PAGE);
  } catch (error) {
    // Another one was quicker, with the same sources.
    if (readVersion() !== version) {
      console.error(`cryolift: the web page could not be built: ${error.message}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Once, here, so that the server only picks what a browser takes. */
function compress(path) {
  const bytes = readFileSync(path);
  if (bytes.length < COMPRESSED_FROM_BYTES) return;
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
}
