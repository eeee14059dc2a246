/** `cryolift serve`: every setting is a flag too. */
import type { Command } from 'commander';
import { Option } from 'commander';

export async function addServe(program: Command): Promise<void> {
  const command = program.command('serve').description('run the server');
  // Read only when it is asked for: the other commands have nothing to do with the server's settings.
  if (!process.argv.includes('serve')) return;
  const { SETTINGS } = await import('@cryolift/server/config');
  for (const { flag, metavar, help } of SETTINGS) command.addOption(new Option(`--${flag} <${metavar}>`, help));
  command.action(async () => {
    const { serve } = await import('@cryolift/server/main');
    const flags = SETTINGS.map(({ flag }) => [flag, command.getOptionValue(toCamelCase(flag))] as const);
    process.exit(await serve(process.env, Object.fromEntries(flags)));
  });
}

function toCamelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
