import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Command } from 'commander';
import { serverCommands } from '../../../server/src/commands/program.ts';
import { createProgram } from '../program/program.ts';
import { runAlone } from '../testing/test-process.ts';
import { fishScript } from './fish.ts';
import { shapeOf } from './shape.ts';
import { zshScript } from './zsh.ts';

let folder: string;
let program: Command;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-complete-'));
  await writeFile(join(folder, 'script'), (await runAlone(['completion', 'bash'])).stdout);
  for (const name of ['my file.mrc', 'other.mrc']) await writeFile(join(folder, name), '');
  program = await createProgram(['node', 'cryolift', 'completion'], serverCommands, () => {});
});

after(() => rm(folder, { recursive: true }));

/** The completions of a real bash for the last word. */
function complete(...words: string[]): string[] {
  const code = `source ./script || exit 1
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    $(complete -p cryolift | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '--noprofile', '-c', code, 'bash', 'cryolift', ...words];
  return execFileSync('bash', args, { cwd: folder, encoding: 'utf8' }).split('\n').slice(0, -1).sort();
}

test('completion: bash completes every command and every option of it', () => {
  const commands = program.commands.map((command) => command.name());
  for (const name of commands) assert.ok(complete('').includes(name), name);
  assert.deepEqual(complete('upl'), ['upload']);
  for (const command of program.commands) {
    const offered = complete(command.name(), '--');
    for (const { long } of command.options) assert.ok(offered.includes(long ?? ''), `${command.name()} ${long}`);
    assert.ok(offered.includes('--help'));
  }
  assert.ok(complete('serve', '--data').includes('--data-dir'));
});

test('completion: bash offers files only where an argument is a path', () => {
  assert.deepEqual(complete('upload', 'my'), ['my file.mrc']);
  assert.deepEqual(complete('--json', 'upload', '--recursive', 'o'), ['other.mrc']);
  assert.deepEqual(complete('download', '-o', 'my'), ['my file.mrc']);
  assert.deepEqual(complete('status', 'my'), ['']);
  assert.deepEqual(complete('upload', '--bwlimit', 'my'), ['']);
  assert.deepEqual(complete('completion', ''), [...complete('completion', '-'), 'bash', 'fish', 'zsh'].sort());
});

test('completion: bash offers subcommands, and files where a subcommand takes a path', () => {
  assert.deepEqual(complete('config', ''), ['check', 'help', 'init', 'my file.mrc', 'other.mrc', 'script']);
  assert.deepEqual(complete('config', 'o'), ['other.mrc']);
  assert.deepEqual(complete('link', 'l'), ['ls']);
  assert.equal(complete('config', '--').filter((option) => option === '--system').length, 1);
});

test('completion: the scripts for zsh and fish contain every command and option', () => {
  const shape = shapeOf(program);
  const [zsh, fish] = [zshScript(shape), fishScript(shape)];
  for (const { name, options } of shape.commands) {
    assert.match(zsh, new RegExp(`^    '${name}:.+'$`, 'm'));
    const line = new RegExp(`^        ${name}\\) (.*)$`, 'm').exec(zsh)?.[1] ?? '';
    // Quotes and brackets of descriptions are closed.
    assert.equal((line.replaceAll("'\\''", '').match(/'/g)?.length ?? 0) % 2, 0);
    for (const option of options.flatMap(({ names }) => names)) {
      assert.ok(line.includes(`${option}[`), `${name} ${option}`);
      const flag = option.startsWith('--') ? `-l ${option.slice(2)} ` : `-s ${option.slice(1)} `;
      assert.ok(
        fish.split('\n').some((each) => each.includes(`from ${name}'`) && each.includes(flag)),
        `${name} ${option}`,
      );
    }
  }
  assert.match(zsh, /'\*--checksums\[.*?\]:file:_files'/);
  assert.match(fish, /from upload' -l checksums -r -F -d/);
});
