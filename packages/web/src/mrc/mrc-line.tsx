/** The header in one line: kind, dimensions, mode, pixel size. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';
import { dimsOf, voxelOf } from './mrc-summary.ts';

export function MrcLine({ mrc }: { mrc: NonNullable<FileRecord['mrc']> }) {
  const values = [dimsOf(mrc), texts.mrc.mode(mrc.mode), voxelOf(mrc)].filter((value) => value !== null);
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mrc.kind[mrc.kind]}</span> {values.join(' · ')}
    </span>
  );
}
