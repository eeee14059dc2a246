/**
 * `npm run dist:server`: makes the server as one archive for Linux, with the packages that it needs, the page, the guides,
 * Node and `install.sh`, for machines without npm and internet:
 *
 *   npm run dist:server -- [--only linux-x64]… [--folder dist]
 *
 * The same commit gives the same bytes. Needs GNU tar.
 */
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { choosePlatforms, PLATFORMS } from '../one-file/platforms.mjs';
import { makeSbom } from '../one-file/sbom.mjs';
import { recordSums, sha256Of } from '../one-file/sums.mjs';
import { addNode, fillFolder, VERSION } from './contents.mjs';
import { readSourceTime } from './source-time.mjs';

const { values: options } = parseArgs({
  options: { only: { type: 'string', multiple: true }, folder: { type: 'string', default: 'dist' } },
});
const linux = PLATFORMS.filter(({ name }) => name.startsWith('linux-'));
const platforms = choosePlatforms(linux, options.only);
const folder = resolve(options.folder);
const time = readSourceTime();

mkdirSync(folder, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'cryolift-server-package-'));
try {
  const content = join(work, 'content');
  const places = fillFolder(content);
  for (const platform of platforms) await makeArchive(platform, content, places);
} finally {
  rmSync(work, { recursive: true });
}

async function makeArchive(platform, content, places) {
  const root = `cryolift-server-${VERSION}-${platform.name}`;
  const name = `${root}.tar.gz`;
  renameSync(content, join(work, root));
  const node = addNode(join(work, root), platform);
  const tar = join(work, 'archive.tar');
  const same = ['--format=gnu', '--sort=name', `--mtime=@${time}`, '--mode=u=rwX,go=rX'];
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  execFileSync('tar', ['-C', work, ...same, ...owner, '-cf', tar, root], { stdio: ['ignore', 'inherit', 'inherit'] });
  rmSync(node, { recursive: true });
  renameSync(join(work, root), content);

  // The folder may be served meanwhile: an archive appears whole.
  const draft = join(folder, `${name}.draft`);
  await pipeline(createReadStream(tar), createGzip(), createWriteStream(draft));
  const sha256 = await sha256Of(draft);
  const all = [...places, `node_modules/${platform.package}`];
  writeFileSync(join(folder, `${root}.cdx.json`), makeSbom({ name, version: VERSION, sha256, places: all }));
  renameSync(draft, join(folder, name));
  recordSums(folder, { [name]: sha256 });
  console.error(`${name}: SHA-256 ${sha256}`);
}
