/** What is sent or received: how many files at once, over how many connections, in parts of which size. */
import { GIB, KIB, MIB } from '@cryolift/protocol/plan';

/** `tls`: uploads over TLS, beside those without it. */
export type Kind = 'upload' | 'tls' | 'download' | 'small-files';

export interface Load {
  readonly name: string;
  /** Of the systems that get it. */
  readonly kinds: readonly Kind[];
  readonly files: number;
  /** Of each file; a whole number of parts, two at least of a big one. */
  readonly fileBytes: number;
  readonly partBytes: number;
  readonly connections: number;
}

const PART_BYTES = 8 * MIB;
const SMALL_BYTES = 16 * KIB;
const SMALL_PER_GIB = 1_000;

/** @param gib the size of the one big file, and of the 64 smaller ones together. */
export function listLoads(gib: number): readonly Load[] {
  const load = (kinds: readonly Kind[], name: string, files: number, connections: number, partBytes: number): Load => {
    const parts = Math.max(2, Math.round((gib * GIB) / files / partBytes));
    return { name, kinds, files, fileBytes: parts * partBytes, partBytes, connections };
  };
  return [
    load(['upload'], '1-connection', 1, 1, PART_BYTES),
    load(['upload', 'tls'], '4-connections', 1, 4, PART_BYTES),
    load(['upload'], '16-connections', 1, 16, PART_BYTES),
    load(['upload'], '64-files', 64, 16, PART_BYTES),
    load(['upload'], 'parts-of-1-mib', 1, 4, MIB),
    load(['upload'], 'parts-of-64-mib', 1, 4, 64 * MIB),
    load(['download'], 'download-1-range', 1, 1, PART_BYTES),
    load(['download'], 'download-4-ranges', 1, 4, PART_BYTES),
    {
      name: 'small-files',
      kinds: ['small-files'],
      files: Math.ceil(gib * SMALL_PER_GIB),
      fileBytes: SMALL_BYTES,
      partBytes: SMALL_BYTES,
      connections: 8,
    },
  ];
}

export function describeLoad({ kinds, files, fileBytes, partBytes, connections }: Load): string {
  const by = `${connections} connection${connections === 1 ? '' : 's'}`;
  if (kinds.includes('small-files')) return `${files} files of ${fileBytes / KIB} KiB, one after another on ${by}`;
  if (kinds.includes('download'))
    return `one published file of ${inGib(fileBytes)}, read four times, a range of it on ${by}`;
  const what = files === 1 ? `one file of ${inGib(fileBytes)}` : `${files} files of ${fileBytes / MIB} MiB at once`;
  return `${what}, parts of ${partBytes / MIB} MiB, ${by}`;
}

function inGib(bytes: number): string {
  return `${Number((bytes / GIB).toFixed(2))} GiB`;
}
