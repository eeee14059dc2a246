/** `cryolift config` and its subcommands, with their options. */
import type { Command } from 'commander';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

export function addConfig(program: Command, finish: Finish): void {
  const config = addCommand(program, 'config', 'write and check the settings file of `watch --config`', false);
  const add = (name: string, description: string) =>
    addCommand(config, name, description, false)
      .argument('[file]', 'default: the file of this user')
      .option('--system', 'the file of the service of the system');
  add('init', 'write a commented settings file; an existing file is not replaced').action(
    async (file: string | undefined, _own: unknown, command: Command) => {
      const { initConfig } = await import('../commands/config.ts');
      finish(await initConfig(file, command.optsWithGlobals()));
    },
  );
  add('check', 'print what a settings file means, or its faults with their lines (exit code 2)').action(
    async (file: string | undefined, _own: unknown, command: Command) => {
      const { checkConfig } = await import('../commands/config.ts');
      finish(await checkConfig(file, command.optsWithGlobals()));
    },
  );
}
