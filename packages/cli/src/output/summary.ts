/** The summary of a run of `cryolift upload`. */
import { formatBytes, formatSeconds } from './format.ts';
import type { Output } from './output.ts';
import type { Tally } from './tally.ts';

/**
 * A single file has no summary.
 *
 * @param leftOut files and folders that were skipped on purpose.
 */
export function printSummary(output: Output, tally: Tally, leftOut: number): void {
  const { files, done, already, failed, movedBytes, seconds } = tally;
  if (files + leftOut < 2) return;
  const { storedBytes, resumedBytes, sentBytes, savedBytes, retries } = tally.sum;
  const open = files - done - already - failed;
  const bytesPerSecond = movedBytes > 0 ? Math.round(movedBytes / seconds) : 0;
  output.event({
    event: 'summary',
    files,
    done,
    failed,
    skipped: already,
    open,
    left_out: leftOut,
    bytes: storedBytes,
    resumed_bytes: resumedBytes,
    sent_bytes: sentBytes,
    saved_bytes: savedBytes,
    seconds,
    bytes_per_second: bytesPerSecond,
    retries,
  });
  const counts = [
    `${done} of ${files} files done`,
    ...(already > 0 ? [`${already} were already there`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(open > 0 ? [`${open} unfinished`] : []),
    ...(leftOut > 0 ? [`${leftOut} skipped`] : []),
  ];
  const bytes = [
    ...(movedBytes > 0
      ? [`${formatBytes(movedBytes)} in ${formatSeconds(seconds)} (${formatBytes(bytesPerSecond)}/s)`]
      : []),
    ...(retries > 0
      ? [`${retries} retries, ${formatBytes(Math.max(0, tally.passedBytes - movedBytes))} sent again`]
      : []),
    ...(savedBytes > 0 ? [`compression saved ${formatBytes(savedBytes)}`] : []),
    ...(resumedBytes > 0 ? [`resuming saved ${formatBytes(resumedBytes)}`] : []),
  ];
  output.note([counts.join(', '), ...bytes].join('; '));
}
