/** How many bytes the quota of the caller still allows. */
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { LITTLE_BYTES, MAKE_SPACE } from './free-space.ts';
import { readJson, type Wire } from './wire.ts';

interface QuotaCheck {
  /** Null when there is no quota. */
  readonly finding: Finding | null;
  /** Infinity when there is no quota. */
  readonly leftBytes: number;
}

/** @param neededBytes bytes of the trial upload. @param requestedBytes bytes that must fit; null: no request. */
export async function checkQuota(
  wire: Wire,
  authorization: string,
  neededBytes: number,
  requestedBytes: number | null,
): Promise<QuotaCheck> {
  const { quota_bytes, used_bytes } = readJson(await wire.ask('GET', '/limits', { authorization })) ?? {};
  if (typeof quota_bytes !== 'number' || typeof used_bytes !== 'number') {
    return { finding: null, leftBytes: Number.POSITIVE_INFINITY };
  }
  const leftBytes = Math.max(0, quota_bytes - used_bytes);
  const found = `${formatBytes(used_bytes)} of your quota of ${formatBytes(quota_bytes)} are used`;
  const mend = `${MAKE_SPACE} Or ask the administrator for a larger quota.`;
  return { finding: evaluate(), leftBytes };

  function evaluate(): Finding {
    if (leftBytes < neededBytes) return fail('quota', `${found}: too little is left for a trial upload`, mend);
    if (requestedBytes !== null && requestedBytes > leftBytes) {
      return fail(
        'quota',
        `${found}: ${formatBytes(leftBytes)} are left, less than ${formatBytes(requestedBytes)}`,
        mend,
      );
    }
    return leftBytes < LITTLE_BYTES && requestedBytes === null ? warn('quota', found, mend) : ok('quota', found);
  }
}
