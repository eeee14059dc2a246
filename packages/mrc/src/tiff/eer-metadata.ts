/** The metadata of an EER file: XML with one `<item name="…">` for each value, in the tag 65001. */

import type { EerSummary } from './summary.ts';

/** Longer metadata are not read further. */
export const MAX_METADATA_BYTES = 64 * 1024;
const MAX_ITEMS = 500;
const ITEM = '<item name="';

export interface EerMetadata extends Omit<EerSummary, 'bits'> {
  /** How many frames the camera has written. */
  readonly frames: number | null;
  /** Å */
  readonly pixelSize: number | null;
}

/** Never throws; a text that is not such XML has no values. */
export function parseEerMetadata(text: string): EerMetadata {
  const items = readItems(text);
  const get = (name: string) => items.get(name) ?? null;
  const pixel = toNumber(get('sensorPixelSize.width'));
  return {
    camera: get('commercialName') ?? get('cameraName'),
    exposure: toNumber(get('exposureTime')),
    dose_rate: toNumber(get('meanDoseRate')),
    total_dose: toNumber(get('totalDose')),
    gain_reference: get('eerGainReference'),
    taken: get('timestamp'),
    frames: toNumber(get('numberOfFrames')),
    pixelSize: pixel === null ? null : pixel * 1e10,
  };
}

/** Without a pattern, whose time could grow with the square of the length. */
function readItems(text: string): ReadonlyMap<string, string> {
  const items = new Map<string, string>();
  for (let at = text.indexOf(ITEM); at >= 0 && items.size < MAX_ITEMS; at = text.indexOf(ITEM, at + ITEM.length)) {
    const quote = text.indexOf('"', at + ITEM.length);
    const start = text.indexOf('>', quote);
    const end = text.indexOf('<', start);
    if (quote < 0 || start < 0 || end < 0) break;
    const value = text.slice(start + 1, end).trim();
    if (value !== '') items.set(text.slice(at + ITEM.length, quote), value);
  }
  return items;
}

function toNumber(text: string | null): number | null {
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
