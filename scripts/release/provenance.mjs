/** Says what a release was made of, by whom and how: an in-toto statement (v1) with SLSA provenance (v1). */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { git, readOrigin } from './checkout.mjs';

/** docs/guides/releasing.md describes it. */
const BUILD_TYPE = 'urn:cryolift:release:1';

/**
 * @param sums digests of the files by name.
 * @param builder a URI of who runs the build: `mailto:ada@example.org`.
 */
export function makeProvenance({ root, version, sums, builder, startedOn, finishedOn }) {
  const origin = readOrigin(root);
  const source = {
    name: 'source',
    ...(origin === null ? {} : { uri: `git+${origin}` }),
    digest: { gitCommit: git(root, 'rev-parse', 'HEAD') },
  };
  const lock = readFileSync(join(root, 'package-lock.json'));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: Object.entries(sums).map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { version, source },
        internalParameters: { node: process.versions.node },
        resolvedDependencies: [
          source,
          { name: 'package-lock.json', digest: { sha256: createHash('sha256').update(lock).digest('hex') } },
          ...listPackages(JSON.parse(lock.toString()).packages),
        ],
      },
      runDetails: {
        builder: { id: builder },
        metadata: { invocationId: `urn:uuid:${randomUUID()}`, startedOn, finishedOn },
      },
    },
  };
  return `${JSON.stringify(statement, null, 2)}\n`;
}

/** The packages of the lock file, Node among them, with the digests that npm has checked. */
function listPackages(packages) {
  return Object.entries(packages).flatMap(([place, { version, integrity }]) => {
    const [, sha512] = /^sha512-(\S+)/.exec(integrity ?? '') ?? [];
    if (sha512 === undefined) return [];
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length).replace('@', '%40');
    return [{ uri: `pkg:npm/${name}@${version}`, digest: { sha512: Buffer.from(sha512, 'base64').toString('hex') } }];
  });
}
