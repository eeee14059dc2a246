/** A TIFF file in words, for the command line and the page. */
import { count } from '../finding.ts';
import type { TiffSummary } from './summary.ts';

const FORMATS = { tiff: 'TIFF', bigtiff: 'BigTIFF', eer: 'EER' } as const;
const SAMPLES = { unsigned: 'whole numbers from 0', signed: 'whole numbers', float: 'floating point', other: 'other' };

/** `4,096 × 4,096`, with the number of frames when there are several. */
export function describeTiffSize({ width, height, frames }: TiffSummary): string {
  return `${count(width)} × ${count(height)}${frames === 1 ? '' : `, ${count(frames)} frames`}`;
}

/** `8 bits, whole numbers from 0`; of an EER movie the bits of its codes. */
export function describeTiffPixels({ bits, samples, sample_format, eer }: TiffSummary): string {
  if (eer) {
    if (!eer.bits) return 'counted electrons';
    const [skip, horizontal, vertical] = eer.bits;
    return `counted electrons: ${skip} bits of distance, ${horizontal} and ${vertical} bits of position in the pixel`;
  }
  const several = samples === 1 ? '' : `, ${count(samples)} samples per pixel`;
  return `${bits} bit${bits === 1 ? '' : 's'}, ${SAMPLES[sample_format]}${several}`;
}

/** The name of the format: `BigTIFF, little-endian`. */
export function describeTiffFormat({ format, byte_order }: TiffSummary): string {
  return `${FORMATS[format]}, ${byte_order}-endian`;
}

/** `LZW`, or the number of an unknown compression. */
export function describeCompression({ compression: { code, name } }: TiffSummary): string {
  return name ?? `unknown (${code})`;
}

export type TiffField =
  | 'kind'
  | 'format'
  | 'dimensions'
  | 'other_images'
  | 'pixels'
  | 'compression'
  | 'layout'
  | 'pixel_size'
  | 'camera'
  | 'exposure'
  | 'dose'
  | 'gain_reference'
  | 'taken'
  | 'software'
  | 'description'
  | 'picture';

/** All that is known of the structure, in the order in which it is shown; what is not known is left out. */
export function describeTiff(tiff: TiffSummary): (readonly [TiffField, string])[] {
  const { kind, frames, other_images, layout, blocks, data_bytes, pixel_size, software, description, eer } = tiff;
  const each = frames > 0 ? blocks / frames : 0;
  const unit = layout === 'strips' ? 'strip' : 'tile';
  const rate = eer?.dose_rate ?? null;
  const doses = [
    ...(eer && eer.total_dose !== null ? [`${short(eer.total_dose)} electrons per pixel`] : []),
    ...(rate === null ? [] : [`${short(rate)} per pixel and second`]),
  ];
  const rows: (readonly [TiffField, string | null])[] = [
    ['kind', kind],
    ['format', describeTiffFormat(tiff)],
    ['dimensions', describeTiffSize(tiff)],
    ['other_images', other_images === 0 ? null : count(other_images)],
    ['pixels', describeTiffPixels(tiff)],
    ['compression', describeCompression(tiff)],
    ['layout', `${count(each)} ${unit}${each === 1 ? '' : 's'} in each frame, ${count(data_bytes)} bytes of data`],
    ['pixel_size', pixel_size === null ? null : `${short(pixel_size)} Å`],
    ['camera', eer?.camera ?? null],
    ['exposure', eer?.exposure ? `${short(eer.exposure)} s` : null],
    ['dose', doses.length > 0 ? doses.join(', ') : null],
    ['gain_reference', eer?.gain_reference ?? null],
    ['taken', eer?.taken ?? null],
    ['software', software],
    ['description', description],
    ['picture', tiff.not_drawn === null ? null : `none: ${tiff.not_drawn}`],
  ];
  return rows.flatMap(([field, value]) => (value === null ? [] : [[field, value] as const]));
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
