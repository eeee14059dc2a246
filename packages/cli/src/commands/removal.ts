/** `cryolift cancel ID` and `cryolift rm FILE_ID`. */
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

type Flags = ConnectionOptions & { json?: boolean };

export async function cancel(id: string, flags: Flags): Promise<ExitCode> {
  await connect(flags, 'uploads:write').cancel(id);
  new Output(flags.json).result({ upload_id: id, status: 'cancelled' }, () => `cancelled ${id}`);
  return EXIT.done;
}

export async function remove(id: string, flags: Flags): Promise<ExitCode> {
  await connect(flags, 'files:delete').deleteFile(id);
  new Output(flags.json).result({ file_id: id, deleted: true }, () => `deleted ${id}`);
  return EXIT.done;
}
