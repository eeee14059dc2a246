/** Reads and checks the settings file. */
import { readCredential } from '../connection/credential.ts';
import { readTextFile } from '../files/text-file.ts';
import { InvalidSettings, Refusal } from '../process/exit.ts';
import { readSettings, type Settings } from './settings.ts';

/**
 * Reads the settings, and the credential that they name.
 *
 * @throws InvalidSettings with all faults; Refusal when there is no file; the system's error when it cannot be read.
 */
export function loadSettings(path: string): Settings {
  const { settings, faults, lineOf } = readSettings(read(path));
  const credential = findCredentialFault(settings);
  const all = [...faults, ...(credential ? [{ ...credential, line: lineOf(credential.key) }] : [])];
  if (all.length === 0) return settings;
  throw new InvalidSettings(
    path,
    all.map(({ line, message }) => ({ line, message })).sort((a, b) => a.line - b.line),
  );
}

function read(path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Refusal('no_settings', `${path}: there is no such file`, 'Write one with `cryolift config init`.');
  }
}

function findCredentialFault({ tokenFile, linkFile }: Settings): { key: string; message: string } | null {
  const [key, path] = linkFile === null ? ['token_file', tokenFile] : ['link_file', linkFile];
  if (path === null || path === undefined) return null;
  try {
    const credential = readCredential(`@${path}`, key);
    if (key === 'token_file' || /^https?:.*#token=[\w.-]+$/.test(credential)) return null;
    return { key, message: `link_file: ${path} does not hold an upload link, as \`cryolift link\` prints it` };
  } catch (error) {
    return { key, message: (error as Error).message };
  }
}
