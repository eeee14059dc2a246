/** `cryolift link` and its own commands, and what they take. */
import type { Command } from 'commander';
import { between, parseCount, secondsBetween } from '../options/quantity.ts';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

const MAX_BYTES = between('size', '1b', '8191TiB');

export function addLink(program: Command, finish: Finish): void {
  const link = addCommand(program, 'link', 'make an upload link: for a computer that may upload, and do nothing else')
    .option(
      '--expires <duration>',
      'how long it is good for: 12h when not given, 30d at most, or what the server allows',
      secondsBetween('1s', '30d'),
    )
    .option('--max-bytes <size>', 'what may be uploaded with it, 2TiB say', MAX_BYTES)
    .option('--max-files <n>', 'how many files', (text: string) => parseCount(text, Number.MAX_SAFE_INTEGER))
    .option('--revoke <link_id>', 'make none, but take this one back')
    .action(async (_own: unknown, command: Command) => {
      const { makeLink } = await import('../commands/link.ts');
      finish(await makeLink(command.optsWithGlobals()));
    });
  addCommand(link, 'ls', 'your upload links', false).action(async (_own: unknown, command: Command) => {
    const { listLinks } = await import('../commands/link.ts');
    finish(await listLinks(command.optsWithGlobals()));
  });
  addCommand(link, 'revoke', 'end upload links; what was uploaded with them stays', false)
    .argument('[link_id...]')
    .option('--all', 'all of yours')
    .action(async (ids: string[], _own: unknown, command: Command) => {
      const { revokeLinks } = await import('../commands/link.ts');
      finish(await revokeLinks(ids, command.optsWithGlobals()));
    });
}
