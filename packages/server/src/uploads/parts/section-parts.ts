/** Which parts hold a section of an MRC file. */
import type { UploadRecord } from '@cryolift/protocol/messages';

type Mrc = NonNullable<UploadRecord['mrc']>;
/** Both included. */
export type PartRange = [first: number, last: number];

/** The parts that hold the header and section `slice` (of Z, from 0): sections follow each other without gaps. */
export function partsOfSection(mrc: Mrc, slice: number, partSizeBytes: number): PartRange[] {
  const dataOffset = 1024 + mrc.extended_header.bytes;
  const sectionBytes = (mrc.expected_size - dataOffset) / mrc.nz;
  const start = dataOffset + slice * sectionBytes;
  const first = Math.floor(start / partSizeBytes);
  const last = Math.floor((start + sectionBytes - 1) / partSizeBytes);
  return first <= 1
    ? [[0, last]]
    : [
        [0, 0],
        [first, last],
      ];
}
