/** The mark of a shared folder: the database that it belongs to, and the id by which the database knows the folder. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { durableStep } from '../../durable-step.ts';
import { flush } from '../../flush.ts';

export interface OwnerMark {
  readonly database_id: string;
  readonly folder_id: string;
}

const NAME = 'cryolift.json';

/** Null when the folder has none. */
export async function readMark(folder: string): Promise<OwnerMark | null> {
  const text = await readFile(join(folder, NAME), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as OwnerMark);
}

/** Marks a folder, whole or not at all. @returns the mark that the folder then has: another server may be first. */
export async function writeMark(folder: string, mark: OwnerMark): Promise<OwnerMark> {
  const draft = join(folder, `${NAME}.${randomBytes(8).toString('hex')}`);
  try {
    await durableStep('mark.write', () =>
      writeFile(draft, JSON.stringify(mark), { flag: 'wx', mode: 0o600, flush: true }),
    );
    await durableStep('mark.link', () => link(draft, join(folder, NAME))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await durableStep('mark.remove-draft', () => rm(draft, { force: true }));
  }
  await flush(folder);
  return (await readMark(folder)) as OwnerMark;
}
