/** The list of what is in a program, in the JSON format of CycloneDX 1.6. It has no time in it, so that builds repeat. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { licenceOf } from '../licences.mjs';

const { packages } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../package-lock.json', import.meta.url)), 'utf8'),
);

/**
 * @param name of the program's file.
 * @param sha256 of the program, hexadecimal.
 * @param places of npm packages in package-lock.json, that of Node included.
 */
export function makeSbom({ name, version, sha256, places }) {
  const sbom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        name,
        version,
        hashes: [{ alg: 'SHA-256', content: sha256 }],
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: places.map(toComponent),
  };
  return `${JSON.stringify(sbom, null, 2)}\n`;
}

function toComponent(place) {
  const { version, integrity } = packages[place];
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }],
    licenses: [{ license: { id: licenceOf(place, packages[place]) } }],
  };
}
