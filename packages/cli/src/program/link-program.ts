/** `cryolift link` and its subcommands, with their options. */
import type { Command } from 'commander';
import { between, parseCount, secondsBetween } from '../options/quantity.ts';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

const MAX_BYTES = between('size', '1b', '8191TiB');

export function addLink(program: Command, finish: Finish): void {
  const link = addCommand(program, 'link', 'make an upload link, for a computer that may only upload')
    .option(
      '--expires <duration>',
      'how long the link is valid: 12h by default, at most 30d or what the server allows',
      secondsBetween('1s', '30d'),
    )
    .option('--max-bytes <size>', 'how many bytes may be uploaded with it, such as 2TiB', MAX_BYTES)
    .option('--max-files <n>', 'how many files may be uploaded with it', (text: string) =>
      parseCount(text, Number.MAX_SAFE_INTEGER),
    )
    .option('--note <text>', 'what the link is for; everybody who opens it sees this')
    .option('--revoke <link_id>', 'revoke this link instead of making one')
    .action(async (_own: unknown, command: Command) => {
      const { makeLink } = await import('../commands/link.ts');
      finish(await makeLink(command.optsWithGlobals()));
    });
  addCommand(link, 'ls', 'list your upload links', false).action(async (_own: unknown, command: Command) => {
    const { listLinks } = await import('../commands/link.ts');
    finish(await listLinks(command.optsWithGlobals()));
  });
  addCommand(link, 'revoke', 'revoke upload links; their uploads and files stay', false)
    .argument('[link_id...]')
    .option('--all', 'all your links')
    .action(async (ids: string[], _own: unknown, command: Command) => {
      const { revokeLinks } = await import('../commands/link.ts');
      finish(await revokeLinks(ids, command.optsWithGlobals()));
    });
}
