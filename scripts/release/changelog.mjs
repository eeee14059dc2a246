/** CHANGELOG.md, in the form of Keep a Changelog. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'CHANGELOG.md';
const UNRELEASED = '## [Unreleased]\n';

/** @param today YYYY-MM-DD. @returns what is missing for a release of this version, one line each. */
export function findChangelogFaults(root, version, today) {
  const sections = readSections(root);
  const own = sections.find(({ name }) => name === version);
  const unreleased = sections.find(({ name }) => name === 'Unreleased');
  const faults = [];
  if (own === undefined) faults.push(`${FILE} has no section [${version}]: npm run release:prepare -- ${version}`);
  else if (!isDate(own.date) || own.date > today)
    faults.push(`${FILE}: the section [${version}] has the date "${own.date}", not one of YYYY-MM-DD up to ${today}`);
  else if (own.text === '') faults.push(`${FILE}: the section [${version}] is empty`);
  if (unreleased === undefined) faults.push(`${FILE} has no section [Unreleased]`);
  else if (unreleased.text !== '') faults.push(`${FILE}: the section [Unreleased] is not empty`);
  return faults;
}

/** Gives what is under Unreleased to this version. @throws Error when there is nothing, or the version has a section. */
export function moveUnreleased(root, version, today) {
  const sections = readSections(root);
  if (sections.some(({ name }) => name === version)) throw new Error(`${FILE} has a section [${version}] already`);
  if (!sections.some(({ name, text }) => name === 'Unreleased' && text !== ''))
    throw new Error(`${FILE} has nothing under [Unreleased]`);
  const path = join(root, FILE);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(UNRELEASED, `${UNRELEASED}\n## [${version}] - ${today}\n`));
}

function readSections(root) {
  const [, ...parts] = readFileSync(join(root, FILE), 'utf8').split(/^## /m);
  return parts.map((part) => {
    const [heading = '', ...lines] = part.split('\n');
    const [, name = '', date = ''] = /^\[(.+)\](?: - (.*))?$/.exec(heading) ?? [];
    return { name, date, text: lines.join('\n').trim() };
  });
}

function isDate(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}
