/** The names of values of the tag Compression. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'CCITT RLE',
  3: 'CCITT T.4',
  4: 'CCITT T.6',
  5: 'LZW',
  6: 'JPEG (old)',
  7: 'JPEG',
  8: 'Deflate',
  32773: 'PackBits',
  32946: 'Deflate (old)',
  33003: 'JPEG 2000',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'Zstandard',
  50001: 'WebP',
  65000: 'EER, 8-bit runs',
  65001: 'EER, 7-bit runs',
  65002: 'EER',
};

export const [NO_COMPRESSION, LZW] = [1, 5];
const [EER_8_BIT, EER_7_BIT, EER_ANY] = [65_000, 65_001, 65_002];

/** Null: not known. */
export function nameCompression(code: number): string | null {
  return NAMES[code] ?? null;
}

export function isEer(compression: number): boolean {
  return compression >= EER_8_BIT && compression <= EER_ANY;
}

/** How the codes of an EER frame are made up. */
export interface EerCode {
  /** Bits of the number of pixels that are skipped. */
  readonly skipBits: number;
  /** Bits of the position of an electron inside its pixel. */
  readonly horizontalBits: number;
  readonly verticalBits: number;
  /** The bits of the position also follow the greatest number, which has no electron. */
  readonly isPadded: boolean;
}

/** Null when the bits of compression 65002 are not given, or are none that a detector can have. */
export function eerCodeOf(compression: number, bits: readonly [number, number, number] | null): EerCode | null {
  if (compression !== EER_ANY) {
    const skipBits = compression === EER_7_BIT ? 7 : 8;
    return { skipBits, horizontalBits: 2, verticalBits: 2, isPadded: compression === EER_8_BIT };
  }
  const [skipBits, horizontalBits, verticalBits] = bits ?? [0, 0, 0];
  if (skipBits < 1 || skipBits > 16 || horizontalBits > 4 || verticalBits > 4) return null;
  return { skipBits, horizontalBits, verticalBits, isPadded: false };
}
