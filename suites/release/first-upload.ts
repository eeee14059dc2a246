/** docs/guides/first-upload.md and the package's section of install.md: every command is run as it is written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { followScript, PREPARATION, whyNoSandbox } from '../install/sandbox.ts';
import { VERSION } from './clone.ts';
import type { Release } from './released.ts';

/** In which a newcomer is to have uploaded a file. */
const LIMIT_MS = 5 * 60_000;
const NEXT = '99.0.1';
const noSandbox = whyNoSandbox();

/** The next version: the same files with another number, and with the Node of the version before, which is most of it. */
const MAKE_NEXT = `
cd "$2"
tar --exclude='*/bin/node' -xzf "$1"
next=cryolift-server-${NEXT}-linux-x64
mv cryolift-server-${VERSION}-linux-x64 $next
echo ${NEXT} > $next/VERSION
rm -f $next/node_modules/.bin/node
mkdir -p $next/node_modules/.bin
ln -s /opt/cryolift/${VERSION}/node_modules/.bin/node $next/node_modules/.bin/node
tar -cf - $next | gzip -1 > $next.tar.gz
rm -r $next
`;

/** All commands of a page, or of the part of it between two texts, in order. */
function readCommands(page: string, from = '', to?: string): string[] {
  const start = page.indexOf(from);
  const end = to === undefined ? page.length : page.indexOf(to, start);
  assert.ok(start >= 0 && end > start, `${from} … ${to}`);
  return [...page.slice(start, end).matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
}

export function testFirstUpload(release: Release): void {
  const guide = (name: string) => readFileSync(join(release.clone.root, 'docs/guides', `${name}.md`), 'utf8');

  test('guide: a newcomer who follows it has uploaded a file within five minutes', {
    skip: noSandbox ?? (process.arch === 'x64' ? false : 'the guide is for x64'),
  }, (context) => {
    const folder = join(release.folder, 'newcomer');
    mkdirSync(folder);
    const server = `cryolift-server-${VERSION}-linux-x64.tar.gz`;
    for (const name of [server, 'cryolift-linux-x64', 'SHA256SUMS', 'LICENSES.txt'])
      cpSync(join(release.files, name), join(folder, name));
    const bytes = makeMrc(300_000);
    writeFileSync(join(folder, 'movie.mrc'), bytes);

    const blocks = readCommands(guide('first-upload'));
    assert.equal(blocks.length, 5);
    const [, upgrade = '', back = '', uninstall = ''] = readCommands(
      guide('install'),
      '## From a package, without npm and internet',
      '## One-file programs',
    );
    assert.match(upgrade, /restart/);
    assert.match(back, /OLD/);
    const later = join(folder, 'later');
    mkdirSync(later);
    execFileSync('sh', ['-euc', MAKE_NEXT, 'sh', join(folder, server), later]);
    const script = join(folder, 'follow.sh');
    writeFileSync(
      script,
      `${PREPARATION}
begun=$(date +%s)
${blocks.join('\n')}
echo "UPLOADED after $(($(date +%s) - begun)) s"
(
cd ../later
${upgrade}
)
echo "UPGRADED $(readlink /opt/cryolift/current)"
wait_for 'listening on'
./cryolift-linux-x64 ls | sed 's/^/AFTER /'
${back.replaceAll('OLD', VERSION)}
echo "BACK $(readlink /opt/cryolift/current)"
wait_for 'listening on'
./cryolift-linux-x64 ls | sed 's/^/AFTER /'
${uninstall}
echo "LEFT $(ls -d /opt/cryolift /usr/local/bin/cryolift /etc/systemd/system/cryolift.service /etc/cryolift.env /srv/cryolift 2>/dev/null | tr '\\n' ' ')"
`,
    );
    const { status, stdout, stderr, error } = followScript(script, folder, LIMIT_MS);
    const said = stdout + stderr;
    assert.ok(!error, `${error}: ${said}`);
    assert.equal(status, 0, said);
    const [, seconds] = /^UPLOADED after (\d+) s$/m.exec(stdout) ?? [];
    context.diagnostic(`from the files of the release to the first upload: ${seconds} s`);
    assert.doesNotMatch(stdout, /✗/, said);
    const digest = sha256Hex(bytes);
    assert.match(stdout.slice(0, stdout.indexOf('UPLOADED')), new RegExp(digest), said);
    assert.equal(
      stdout.split('\n').filter((line) => line.startsWith('AFTER') && line.includes('movie.mrc')).length,
      2,
      said,
    );
    assert.match(stdout, new RegExp(`^UPGRADED ${NEXT}$`, 'm'), said);
    assert.match(stdout, new RegExp(`^BACK ${VERSION}$`, 'm'), said);
    assert.match(stdout, /^LEFT \/etc\/cryolift\.env \/srv\/cryolift $/m, said);
  });
}
