/** The licences of packages, as SPDX expressions. */
import { readFileSync } from 'node:fs';

/** Of packages that name it in an older way, which npm does not put into the lock file. */
const OLDER = JSON.parse(readFileSync(new URL('licences.json', import.meta.url), 'utf8'));

/** @param place in package-lock.json. @param entry what is there. */
export function licenceOf(place, { license }) {
  return license ?? OLDER[place] ?? 'unknown';
}
