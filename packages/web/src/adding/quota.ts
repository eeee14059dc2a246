/** The quota of the caller, as `GET /limits` tells it. */
import type { Limits } from '@cryolift/protocol/messages';

/** From this share on the page warns. */
const SCARCE = 0.9;

export interface Quota {
  readonly usedBytes: number;
  /** Null: no limit. */
  readonly maxBytes: number | null;
  readonly usedFiles: number;
  /** Null: no limit. */
  readonly maxFiles: number | null;
}

/** Null when the server says nothing, or sets no limit. */
export function quotaOf(limits: Limits | undefined | null): Quota | null {
  const { used_bytes: usedBytes, used_files: usedFiles = 0, quota_bytes = null, quota_files = null } = limits ?? {};
  if (usedBytes === undefined || (quota_bytes === null && quota_files === null)) return null;
  return { usedBytes, usedFiles, maxBytes: quota_bytes, maxFiles: quota_files };
}

/** The share of the quota that is used: of its bytes or of its files, whichever is greater; 1 at most. */
export function usedShare({ usedBytes, maxBytes, usedFiles, maxFiles }: Quota): number {
  const shareOf = (used: number, most: number | null) => (most === null ? 0 : most === 0 ? 1 : used / most);
  return Math.min(1, Math.max(shareOf(usedBytes, maxBytes), shareOf(usedFiles, maxFiles)));
}

export function isScarce(quota: Quota): boolean {
  return usedShare(quota) >= SCARCE;
}

/** What may still be begun; null: no limit. */
export interface FreeQuota {
  readonly bytes: number | null;
  readonly files: number | null;
}

/** @param waiting uploads of this page that the server does not count yet. */
export function freeQuotaOf(quota: Quota | null, waiting: { bytes: number; files: number }): FreeQuota {
  const left = (most: number | null | undefined, used: number) => (most == null ? null : Math.max(0, most - used));
  return {
    bytes: left(quota?.maxBytes, (quota?.usedBytes ?? 0) + waiting.bytes),
    files: left(quota?.maxFiles, (quota?.usedFiles ?? 0) + waiting.files),
  };
}
