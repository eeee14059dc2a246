/** The structure of a TIFF, BigTIFF or EER file. */
import { describeTiff } from '@cryolift/mrc';
import type { Tiff } from '@cryolift/protocol/messages';
import { PropertyTable } from '../library/property-table.tsx';
import { texts } from '../texts.ts';

export function TiffTable({ tiff }: { tiff: Tiff }) {
  const rows = describeTiff(tiff).map(([field, value]) => {
    return [texts.tiff.fields[field], field === 'kind' ? texts.mrc.kind[tiff.kind] : value] as const;
  });
  return <PropertyTable caption={texts.tiff.caption} rows={rows} />;
}
