/** The structure of a TIFF file in one line: kind, format, size, compression. */
import { describeCompression, describeTiffSize } from '@cryolift/mrc';
import type { Tiff } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';

export function TiffLine({ tiff }: { tiff: Tiff }) {
  const bits = tiff.eer ? [] : [texts.tiff.bits(tiff.bits)];
  const values = [texts.tiff.formats[tiff.format], describeTiffSize(tiff), ...bits, describeCompression(tiff)];
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mrc.kind[tiff.kind]}</span> {values.join(' · ')}
    </span>
  );
}
