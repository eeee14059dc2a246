/** How a file is cut into parts. Pure, so that server, SDK and tests agree. */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

/** S3 allows 10,000 parts to a multipart upload; Cryolift keeps that bound on every store. */
export const MAX_PART_COUNT = 10_000;

export interface PartLimits {
  /** Part size used when nobody asks for another, bytes. */
  readonly partSizeBytes: number;
  /** Least part size that may be asked for, bytes. */
  readonly minPartSizeBytes: number;
  /** Greatest part size, bytes. */
  readonly maxPartSizeBytes: number;
}

export interface PartPlan {
  readonly partSizeBytes: number;
  /** 0 for an empty file. */
  readonly partCount: number;
}

/**
 * Plans the parts of a file.
 *
 * The wish is kept between the limits. Where the file would have more than 10,000 parts the size grows, in whole MiB.
 *
 * @param sizeBytes 0 to 2^53-1.
 * @param wishedPartSizeBytes what the client asked for, if it did.
 * @throws RangeError when not even parts of the greatest size suffice.
 */
export function planParts(sizeBytes: number, limits: PartLimits, wishedPartSizeBytes?: number): PartPlan {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new RangeError(`not a file size: ${sizeBytes}`);
  const wished = wishedPartSizeBytes ?? limits.partSizeBytes;
  const kept = Math.min(Math.max(wished, limits.minPartSizeBytes), limits.maxPartSizeBytes);
  const needed = Math.ceil(sizeBytes / MAX_PART_COUNT);
  const partSizeBytes = needed <= kept ? kept : Math.ceil(needed / MIB) * MIB;
  if (partSizeBytes > limits.maxPartSizeBytes) {
    throw new RangeError(`${sizeBytes} bytes do not fit in ${MAX_PART_COUNT} parts of ${limits.maxPartSizeBytes}`);
  }
  return { partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** Where part `idx` lies in the file: offset and length in bytes. `idx` must be below the plan's part count. */
export function partExtent(sizeBytes: number, partSizeBytes: number, idx: number): { offset: number; length: number } {
  const offset = idx * partSizeBytes;
  return { offset, length: Math.min(partSizeBytes, sizeBytes - offset) };
}

/** Inclusive index pairs, ascending: `[[0,12],[15,15]]`. */
export type PartRanges = [first: number, last: number][];

/** Every index in the ranges, ascending. */
export function* eachPart(ranges: Iterable<readonly number[]>): Generator<number> {
  for (const [first = 0, last = -1] of ranges) for (let idx = first; idx <= last; idx++) yield idx;
}
