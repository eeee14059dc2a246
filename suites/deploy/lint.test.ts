/** The files of deploy/ pass the linters of their kind, and each linter finds what is wrong in a broken copy. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { COMPOSE, DOCKERFILE, MANIFESTS, read } from './files.ts';
import { bringLinters, lintCompose, lintDockerfile, lintManifests, type Report } from './linters.ts';

/** The oldest that has all fields that the manifests use, and the newest that the validator knows. */
const VERSIONS = ['1.30.0', '1.37.0'];
const environment = bringLinters();
const options = { skip: 'missing' in environment ? environment.missing : false };

const folder = mkdtempSync(join(tmpdir(), 'cryolift-deploy-'));
after(() => rmSync(folder, { recursive: true }));

/** @returns a copy of the file in which `was` has become `is`. */
function breakFile(path: string, name: string, was: string, is: string): string {
  const text = read(path);
  assert.ok(text.includes(was), `${path} does not have ${was}`);
  const broken = join(folder, name);
  writeFileSync(broken, text.replace(was, is));
  return broken;
}

function assertClean({ isClean, output }: Report): void {
  assert.ok(isClean, output);
}

function assertFound({ isClean, output }: Report, what: RegExp): void {
  assert.ok(!isClean, 'the linter finds nothing');
  assert.match(output, what);
}

test('Dockerfile: hadolint has no findings, and finds an image without a version', options, () => {
  assertClean(lintDockerfile(DOCKERFILE));
  const broken = breakFile(DOCKERFILE, 'Dockerfile', 'node:26.10.0-trixie-slim AS packages', 'node AS packages');
  assertFound(lintDockerfile(broken), /DL3006/);
});

test('compose.yaml: dclint has no findings, and finds an unknown key and an image without a version', () => {
  assertClean(lintCompose(COMPOSE));
  const unknown = breakFile(COMPOSE, 'unknown.yaml', 'read_only: true', 'readonly: true');
  assertFound(lintCompose(unknown), /readonly|additional properties/i);
  const latest = breakFile(COMPOSE, 'latest.yaml', 'image: caddy:2.10.2-alpine', 'image: caddy');
  assertFound(lintCompose(latest), /service-image-require-explicit-tag/);
});

for (const version of VERSIONS) {
  test(`Kubernetes ${version}: the manifests fit its schemas, and a misspelled field is found`, options, () => {
    assert.ok(MANIFESTS.length >= 7, MANIFESTS.join());
    assertClean(lintManifests(version, MANIFESTS));
    const servers = MANIFESTS.find((path) => path.endsWith('/servers.yaml')) ?? '';
    const broken = breakFile(servers, 'servers.yaml', 'readOnlyRootFilesystem', 'readonlyRootFilesystem');
    assertFound(lintManifests(version, [broken]), /readonlyRootFilesystem/);
  });
}
