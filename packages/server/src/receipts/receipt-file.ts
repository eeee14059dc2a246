import { toHex } from '@cryolift/protocol/digest';
import { pathOf } from '@cryolift/protocol/file-path';
import type { FileRecord, ReceiptFile } from '@cryolift/protocol/messages';
import type { FileRow } from '../db/tables.ts';
import { toFileRecord } from '../files/record.ts';

/** What a receipt says of a file. Null: its SHA-256 is not known yet. */
export function toReceiptFile(row: FileRow): ReceiptFile | null {
  if (row.sha256 === null) return null;
  const record = toFileRecord(row, null);
  return {
    path: pathOf(row.filename, record.metadata),
    size: row.size,
    sha256: toHex(row.sha256),
    file_id: row.id,
    uploader: record.uploader,
    published_at: record.created_at,
    image: describe(record),
  };
}

function describe({ mrc, tiff }: FileRecord): ReceiptFile['image'] {
  if (mrc) {
    const { kind, nx, ny, nz, voxel_size } = mrc;
    return { format: 'mrc', kind, size: [nx, ny, nz], voxel_size: voxel_size?.map(toDecimal) ?? null };
  }
  if (!tiff) return null;
  const { format, kind, width, height, frames, pixel_size } = tiff;
  const edges = pixel_size === null ? null : [pixel_size, pixel_size].map(toDecimal);
  return { format: format === 'eer' ? 'eer' : 'tiff', kind, size: [width, height, frames], voxel_size: edges };
}

/** Voxel sizes are 32-bit floats: seven digits say all of them. */
function toDecimal(angstrom: number): string {
  return String(Number(angstrom.toPrecision(7)));
}
