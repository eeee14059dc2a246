/** What the header says, in one line. */
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

/** Å; one number when it is the same along all axes, or has no third one. */
export function voxelOf({ voxel_size: size }: Mrc): string | null {
  if (!size) return null;
  const edges = size.filter((edge) => edge > 0).map(formatNumber);
  return `${new Set(edges).size === 1 ? edges[0] : edges.join(' × ')} Å`;
}
