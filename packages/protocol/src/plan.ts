/** How a file is divided into parts. Pure functions, shared by server, SDK and tests. */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

/** S3 allows 10,000 parts per multipart upload; Cryolift has the same limit on every storage. */
export const MAX_PART_COUNT = 10_000;

export interface PartLimits {
  /** Default part size, bytes. */
  readonly partSizeBytes: number;
  /** Smallest part size that may be requested, bytes. */
  readonly minPartSizeBytes: number;
  /** Largest part size, bytes. */
  readonly maxPartSizeBytes: number;
  /** Most parts that the storage takes; MAX_PART_COUNT by default. */
  readonly maxPartCount?: number;
  /** Part sizes are multiples of this, bytes, and the smallest and the largest are, too; 1 by default. */
  readonly partSizeStepBytes?: number;
}

export interface PartPlan {
  readonly partSizeBytes: number;
  /** 0 for an empty file. */
  readonly partCount: number;
}

/**
 * Plans the parts of a file.
 *
 * The requested size is rounded up to a multiple of the step and kept between the limits. If the file would have more
 * parts than the storage takes, the size grows in whole MiB, which are multiples of every step.
 *
 * @param sizeBytes 0 to 2^53-1.
 * @param requestedPartSizeBytes the size that the client requested, if any.
 * @throws RangeError when even parts of the largest size do not suffice.
 */
export function planParts(sizeBytes: number, limits: PartLimits, requestedPartSizeBytes?: number): PartPlan {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new RangeError(`not a file size: ${sizeBytes}`);
  const requested = requestedPartSizeBytes ?? limits.partSizeBytes;
  const step = limits.partSizeStepBytes ?? 1;
  const aligned = Math.ceil(requested / step) * step;
  const allowed = Math.min(Math.max(aligned, limits.minPartSizeBytes), limits.maxPartSizeBytes);
  const maxPartCount = Math.min(limits.maxPartCount ?? MAX_PART_COUNT, MAX_PART_COUNT);
  const needed = Math.ceil(sizeBytes / maxPartCount);
  const partSizeBytes = needed <= allowed ? allowed : Math.ceil(needed / MIB) * MIB;
  if (partSizeBytes > limits.maxPartSizeBytes) {
    throw new RangeError(`${sizeBytes} bytes do not fit in ${maxPartCount} parts of ${limits.maxPartSizeBytes}`);
  }
  return { partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** Offset and length of part `idx` in the file, bytes. `idx` must be below the part count of the plan. */
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
