/** The header in one line: kind, dimensions, mode, pixel size. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';
import { dimsOf, voxelOf } from './mrc-summary.ts';
import { wordOf } from './word-of.ts';

/** @param filename tells a tilt series, a tomogram and a gain reference that the header does not. */
export function MrcLine({ mrc, filename = '' }: { mrc: NonNullable<FileRecord['mrc']>; filename?: string }) {
  const values = [dimsOf(mrc), texts.mrc.mode(mrc.mode), voxelOf(mrc)].filter((value) => value !== null);
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mrc.word[wordOf(mrc, filename)]}</span> {values.join(' · ')}
    </span>
  );
}
