/** A section of a file whose upload goes on: first one that has arrived, and the central one as soon as it is there. */
import { centralSection } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { useEffect, useState } from 'react';
import { texts } from '../texts.ts';
import { arrivedSection } from './arrived-section.ts';
import { usePicture } from './picture/use-picture.ts';

const SIZE_PX = 128;
const HIGH_DENSITY_SIZE_PX = 256;

export function EarlySection(props: {
  uploadId: string;
  filename: string;
  mrc: NonNullable<FileRecord['mrc']>;
  partSizeBytes: number;
  stored: { has(idx: number): boolean; readonly size: number };
}) {
  const { uploadId, filename, mrc, partSizeBytes, stored } = props;
  const [slice, setSlice] = useState<number | null>(null);
  const central = centralSection(mrc, 'z');
  useEffect(() => {
    if (slice === central) return;
    const arrived = arrivedSection(mrc, partSizeBytes, stored);
    if (arrived !== null && (slice === null || arrived === central)) setSlice(arrived);
  }, [mrc, partSizeBytes, stored, stored.size, slice, central]);
  const size = devicePixelRatio > 1 ? HIGH_DENSITY_SIZE_PX : SIZE_PX;
  const query = slice === null ? null : ({ kind: 'section', axis: 'z', slice, size } as const);
  const { drawn } = usePicture({ uploadId }, query);
  // Some storages show nothing before the end.
  if (!drawn) return null;
  const alt = texts.picture.early(drawn.query.slice ?? 0, filename);
  return <img className="upload-picture" src={drawn.url} alt={alt} title={alt} />;
}
