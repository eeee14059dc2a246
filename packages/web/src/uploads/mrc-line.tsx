/** What the header says, in one line. */
import { describePixelSize } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { formatCount, formatNumber } from '../format.ts';
import { texts } from '../texts.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

export function MrcLine({ mrc }: { mrc: Mrc }) {
  const facts = [dimsOf(mrc), texts.mrc.mode(mrc.mode), voxelOf(mrc)].filter((fact) => fact !== null);
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mrc.kind[mrc.kind]}</span> {facts.join(' · ')}
    </span>
  );
}

export function dimsOf({ nx, ny, nz }: Mrc): string {
  return [nx, ny, ...(nz === 1 ? [] : [nz])].map(formatCount).join(' × ');
}

/** Å per pixel, or per voxel of a volume; null when the header gives none. */
export function voxelOf({ kind, voxel_size: size }: Mrc): string | null {
  return describePixelSize({ kind, voxel_size: size as [number, number, number] | null }, formatNumber);
}
