/** `cryolift export`: what other programs and archives need of a dataset. */
import type { Command } from 'commander';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

export function addExport(program: Command, finish: Finish): void {
  const exporting = addCommand(program, 'export', 'write what archives need of a dataset', false);
  addCommand(exporting, 'empiar', 'write the skeleton of a deposition at EMPIAR, its files and checksums', false)
    .argument('<dataset>', 'a dataset: its name or its id')
    .requiredOption('-o, --output <folder>', 'where to write them')
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { exportEmpiar } = await import('../export/export-empiar.ts');
      finish(await exportEmpiar(reference, command.optsWithGlobals()));
    });
}
