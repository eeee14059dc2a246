/** Which parts hold a section of an MRC file. */
import { axisOrder, sectionBytes } from '@cryolift/mrc';
import type { UploadRecord } from '@cryolift/protocol/messages';

type Mrc = NonNullable<UploadRecord['mrc']>;
/** Both included. */
export type PartRange = [first: number, last: number];

/** True unless the axes are permuted so that the sections of the file run along X or Y. */
export function hasSectionsAlongZ({ geometry }: Mrc): boolean {
  return geometry === undefined || axisOrder({ axes: geometry.axes as [number, number, number] })[2] === 2;
}

/** The parts that hold the header and section `slice` (of Z, from 0). */
export function partsOfSection(mrc: Mrc, slice: number, partSizeBytes: number): PartRange[] {
  return partsOfSections(mrc, slice, slice + 1, partSizeBytes);
}

/** The parts that hold the header and sections `from` up to, not including, `to`, which follow each other without gaps. */
export function partsOfSections(mrc: Mrc, from: number, to: number, partSizeBytes: number): PartRange[] {
  const { start, end } = sectionBytes(mrc, from, to);
  const first = Math.floor(start / partSizeBytes);
  const last = Math.floor((end - 1) / partSizeBytes);
  return first <= 1
    ? [[0, last]]
    : [
        [0, 0],
        [first, last],
      ];
}
