/** The units of `cryolift watch install`, as systemd reads them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planService } from '../../packages/cli/src/service/plan.ts';
import type { Host, ServiceChoice } from '../../packages/cli/src/service/service.ts';
import { SystemdAnalyze } from './systemd-analyze.ts';

const found = SystemdAnalyze.find();
const folder = mkdtempSync(join(tmpdir(), 'cryolift-unit-'));
after(() => {
  rmSync(folder, { recursive: true });
  if (typeof found !== 'string') found.discard();
});

const HOST: Host = { platform: 'linux', env: {}, home: folder, uid: 1000, user: 'ada', stateRoot: folder };
/** It must exist, for `verify`. */
const PROGRAM = join(folder, 'cryo lift 100% $HOME');
const UNITS: readonly (readonly [name: string, own: Pick<ServiceChoice, 'scope' | 'runAs'>, mostExposure: number])[] = [
  ['of a user', { scope: 'user', runAs: null }, 10],
  ['of the system', { scope: 'system', runAs: null }, 4.5],
  ['of the system, as another user', { scope: 'system', runAs: 'daemon' }, 3.5],
];

for (const [name, own, mostExposure] of UNITS) {
  test(`watch install: systemd accepts the unit ${name}`, { skip: typeof found === 'string' && found }, () => {
    assert.ok(typeof found !== 'string');
    writeFileSync(PROGRAM, '#!/bin/sh\n');
    chmodSync(PROGRAM, 0o755);
    const environment = { https_proxy: 'http://me:p%a"s$s@proxy:3128' };
    const choice = { ...own, program: [PROGRAM], config: '/etc/a "b" $c 100%.toml', environment };
    const path = join(folder, 'cryolift-watch.service');
    writeFileSync(path, planService(choice, HOST).file.text);
    const verified = found.run('verify', '--man=no', path);
    // It speaks of units of this machine, too.
    const about = verified?.output.split('\n').filter((line) => line.includes('cryolift')) ?? [];
    assert.deepEqual(about, []);
    const security = found.run('security', '--offline=yes', path)?.output ?? '';
    const [, exposure = ''] = /exposure level for \S+: ([\d.]+)/.exec(security) ?? [];
    assert.ok(Number(exposure) > 0 && Number(exposure) <= mostExposure, security);
  });
}
