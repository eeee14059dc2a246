/** `cryolift config init` and `config check`: the settings file of `cryolift watch --config`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, InvalidSettings, Refusal } from '../process/exit.ts';
import { describeSettings, settingsJson } from '../settings/describe.ts';
import { defaultSettingsPath } from '../settings/places.ts';
import { sampleSettings } from '../settings/sample.ts';
import { loadSettings } from '../settings/settings-file.ts';

export interface ConfigFlags {
  json?: boolean;
  /** The file of the service of the system, not of this user. */
  system?: boolean;
}

/** Never replaces a file. */
export async function initConfig(given: string | undefined, { json, system }: ConfigFlags): Promise<ExitCode> {
  const path = choosePath(given, system);
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, sampleSettings(process.platform), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Refusal('file_exists', `${path} exists already`, 'Edit it, or give another file.');
  }
  new Output(json).result({ path }, () => `wrote ${path}: edit it, then run \`cryolift config check ${path}\``);
  return EXIT.done;
}

export async function checkConfig(given: string | undefined, { json, system }: ConfigFlags): Promise<ExitCode> {
  const path = choosePath(given, system);
  const output = new Output(json);
  try {
    const settings = loadSettings(path);
    const value = { path, valid: true, settings: settingsJson(settings) };
    output.result(value, () => [`${path} is valid`, ...describeSettings(settings)]);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    const { faults } = error;
    output.result({ path, valid: false, faults }, () => [
      `${path} has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`,
      ...faults.map(({ line, message }) => `  line ${line}: ${message}`),
    ]);
    return EXIT.usage;
  }
}

function choosePath(given: string | undefined, isSystem = false): string {
  return resolve(given ?? defaultSettingsPath(isSystem ? 'system' : 'user'));
}
