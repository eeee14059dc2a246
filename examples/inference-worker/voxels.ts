/** The voxels of a file on the server, block by block: from the disk when this machine has it, else by signed URL. */
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeVoxels, extentOf, layoutOf, MRC_HEADER_BYTES, parseHeader, type VoxelSource } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Cryolift } from './cryolift.ts';

const BLOCK_BYTES = 8 * 1024 * 1024;

/** @yields the values of some rows; the array is used again for the next ones. @throws Error when it is no readable MRC. */
export async function* readVoxels(server: Cryolift, file: FileRecord): AsyncGenerator<Float32Array> {
  const { source, close } = (await openLocal(file)) ?? (await openRemote(server, file));
  try {
    const head = new Uint8Array(MRC_HEADER_BYTES);
    await source.read(0, head);
    const layout = layoutOf(parseHeader(head, file.size), file.size);
    if (!layout) throw new Error(`the voxels of ${file.file_id} cannot be read`);
    const { nx, ny, nz } = layout;
    const rows = Math.max(1, Math.floor(BLOCK_BYTES / (nx * 4)));
    const values = new Float32Array(rows * nx);
    for (let first = 0; first < ny * nz; first += rows) {
      const last = Math.min(first + rows, ny * nz) - 1;
      const start = extentOf(layout, first).start;
      const bytes = new Uint8Array(extentOf(layout, last).end - start);
      await source.read(start, bytes);
      for (let row = first; row <= last; row++) {
        const extent = extentOf(layout, row);
        const target = new Float32Array(nx + extent.skip);
        decodeVoxels(layout, bytes.subarray(extent.start - start, extent.end - start), target);
        values.set(target.subarray(extent.skip), (row - first) * nx);
      }
      yield values.subarray(0, (last - first + 1) * nx);
    }
  } finally {
    await close();
  }
}

interface Opened {
  source: VoxelSource;
  close(): Promise<void>;
}

/** Null when the server does not say where the file lies, or it is not on a disk of this machine. */
async function openLocal({ location }: FileRecord): Promise<Opened | null> {
  const handle = location?.startsWith('file:') ? await open(fileURLToPath(location)).catch(() => null) : null;
  if (!handle) return null;
  return {
    source: {
      async read(offset, target) {
        for (let at = 0; at < target.length; ) {
          const { bytesRead } = await handle.read(target, at, target.length - at, offset + at);
          if (bytesRead === 0) throw new Error('the file ends too early');
          at += bytesRead;
        }
      },
    },
    close: () => handle.close(),
  };
}

/** The signed URL needs no token, so it could be given to a machine that has none. */
async function openRemote(server: Cryolift, { file_id }: FileRecord): Promise<Opened> {
  const { url } = await server.sign(file_id);
  return {
    source: {
      async read(offset, target) {
        const range = `bytes=${offset}-${offset + target.length - 1}`;
        const response = await fetch(url, { headers: { range } });
        if (response.status !== 206) throw new Error(`${range} of ${file_id} answered ${response.status}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (bytes.length !== target.length) throw new Error(`${range} of ${file_id} came with ${bytes.length} bytes`);
        target.set(bytes);
      },
    },
    close: async () => {},
  };
}
