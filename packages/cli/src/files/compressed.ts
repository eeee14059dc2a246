/** Reads the MRC header inside files that are compressed as a whole. */
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Source } from '@cryolift/client';
import { MRC_HEADER_BYTES } from '@cryolift/mrc';

const PIECE_BYTES = 64 * 1024;

interface Format {
  readonly name: string;
  readonly start: readonly number[];
  /** Extensions of such files. */
  readonly suffix: string;
  /** Null when Node.js cannot decompress it. */
  readonly open: (() => Transform) | null;
  /** A command that writes the decompressed file to standard output. */
  readonly command: string;
}

const FORMATS: readonly Format[] = [
  { name: 'gzip', start: [0x1f, 0x8b, 0x08], suffix: '.gz', open: createGunzip, command: 'gzip -dc' },
  {
    name: 'Zstandard',
    start: [0x28, 0xb5, 0x2f, 0xfd],
    suffix: '.zst',
    open: createZstdDecompress,
    command: 'zstd -dc',
  },
  { name: 'bzip2', start: [0x42, 0x5a, 0x68], suffix: '.bz2', open: null, command: 'bzip2 -dc' },
  { name: 'xz', start: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], suffix: '.xz', open: null, command: 'xz -dc' },
];

/** A file that is compressed as a whole. */
export type CompressedFile = {
  /** Name of the compression. */
  readonly format: string;
  /** The file name without the extension of the compression. */
  readonly filename: string;
} & (
  | {
      /** The first 1,024 decompressed bytes, or all when there are fewer. */
      readonly header: Uint8Array;
      readonly error: null;
    }
  | {
      readonly header: null;
      /** Why it cannot be decompressed here, and what to do. */
      readonly error: string;
    }
);

/** Decompresses only the header of a file. @returns null when the file is not compressed. */
export async function openCompressed(source: Source): Promise<CompressedFile | null> {
  const start = new Uint8Array(Math.min(16, source.sizeBytes));
  await source.read(0, start);
  const format = FORMATS.find((each) => each.start.every((byte, at) => start[at] === byte));
  if (!format) return null;
  const { name, suffix, open, command } = format;
  const filename = source.name.toLowerCase().endsWith(suffix) ? source.name.slice(0, -suffix.length) : source.name;
  if (!open) {
    const target = filename === source.name ? `decompressed-${filename}` : filename;
    const advice = `To inspect it: ${command} '${source.name}' > '${target}'`;
    const error = `The file is compressed with ${name}, which cryolift cannot read. ${advice}`;
    return { format: name, filename, header: null, error };
  }
  try {
    return { format: name, filename, header: await inflateHeader(source, open()), error: null };
  } catch (cause) {
    const error = `The file starts like ${name} data, but cannot be decompressed (${(cause as Error).message}).`;
    return { format: name, filename, header: null, error };
  }
}

async function inflateHeader(source: Source, stream: Transform): Promise<Uint8Array> {
  const compressed = Readable.from(readPieces(source));
  compressed.on('error', (error) => stream.destroy(error));
  compressed.pipe(stream);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MRC_HEADER_BYTES) break;
    }
  } finally {
    compressed.destroy();
  }
  return new Uint8Array(Buffer.concat(chunks).subarray(0, MRC_HEADER_BYTES));
}

async function* readPieces(source: Source): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.sizeBytes; at += PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, source.sizeBytes - at));
    await source.read(at, piece);
    yield piece;
  }
}
