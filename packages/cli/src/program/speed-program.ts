/** `cryolift speedtest`, with its options. */
import { type Command, Option } from 'commander';
import { between, secondsBetween } from '../options/quantity.ts';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

const SIZE_BYTES = 256 * 1024 * 1024;
const SECONDS = 5;

export function addSpeedtest(program: Command, finish: Finish): void {
  addCommand(program, 'speedtest', 'measure disk, hash, TLS, network and server, and name the slowest', false)
    .argument('[server]', 'its URL, instead of --server')
    .option('--from <path>', 'a file or a folder to read, as an upload would')
    .addOption(
      new Option('--size <size>', 'of the trial upload, which is cancelled at the end')
        .argParser(between('size', '1MiB', '64GiB'))
        .default(SIZE_BYTES, '256MiB'),
    )
    .addOption(
      new Option('--for <duration>', 'how long each measurement takes at most')
        .argParser(secondsBetween('1s', '10m'))
        .default(SECONDS, '5s'),
    )
    .action(async (server: string | undefined, _own: unknown, command: Command) => {
      const { testSpeed } = await import('../commands/speedtest.ts');
      const { for: seconds, size, ...flags } = command.optsWithGlobals();
      finish(await testSpeed(server, { ...flags, size, seconds }));
    });
}
