/** What is sent: how many files at once, over how many connections, in parts of which size. */
import { GIB, MIB } from '@cryolift/protocol/plan';

export interface Load {
  readonly name: string;
  readonly files: number;
  /** Of each file; a whole number of parts, two at least. */
  readonly fileBytes: number;
  readonly partBytes: number;
  readonly connections: number;
}

/** @param gib the size of the one big file, and of the 64 small ones together. */
export function listLoads(gib: number): readonly Load[] {
  const load = (name: string, files: number, connections: number, partBytes: number): Load => {
    const parts = Math.max(2, Math.round((gib * GIB) / files / partBytes));
    return { name, files, fileBytes: parts * partBytes, partBytes, connections };
  };
  return [
    load('1-connection', 1, 1, 8 * MIB),
    load('4-connections', 1, 4, 8 * MIB),
    load('16-connections', 1, 16, 8 * MIB),
    load('64-files', 64, 16, 8 * MIB),
    load('parts-of-1-mib', 1, 4, MIB),
    load('parts-of-64-mib', 1, 4, 64 * MIB),
  ];
}

export function describeLoad({ files, fileBytes, partBytes, connections }: Load): string {
  const what = files === 1 ? `one file of ${inGib(fileBytes)}` : `${files} files of ${fileBytes / MIB} MiB at once`;
  return `${what}, parts of ${partBytes / MIB} MiB, ${connections} connection${connections === 1 ? '' : 's'}`;
}

function inGib(bytes: number): string {
  return `${Number((bytes / GIB).toFixed(2))} GiB`;
}
