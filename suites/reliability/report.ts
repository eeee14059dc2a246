/** Results in lines that a person reads, and in figures. */
import type { CampaignName, SiteResult } from './campaigns.ts';
import type { Counts } from './ledger.ts';

export interface Summary {
  readonly campaign: CampaignName;
  readonly seed: number;
  /** Faults inflicted. */
  readonly rounds: number;
  readonly folders: number;
  readonly seconds: number;
  readonly answers: number;
  readonly counts: Counts;
  readonly refusedStarts: number;
  /** What must not be: all of it together; 0 is what a campaign is run for. */
  readonly faults: number;
}

export function summarise(
  campaign: CampaignName,
  seed: number,
  results: readonly SiteResult[],
  seconds: number,
): Summary {
  const sum = (of: (result: SiteResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    campaign,
    seed,
    rounds: sum(({ rounds }) => rounds),
    folders: results.length,
    seconds: Math.round(seconds),
    answers: sum(({ answers }) => answers),
    counts: {
      uploads: sum(({ counts }) => counts.uploads),
      acknowledgedParts: sum(({ counts }) => counts.acknowledgedParts),
      appends: sum(({ counts }) => counts.appends),
      completes: sum(({ counts }) => counts.completes),
      cancels: sum(({ counts }) => counts.cancels),
      deletes: sum(({ counts }) => counts.deletes),
      takenBackParts: sum(({ counts }) => counts.takenBackParts),
    },
    refusedStarts: sum(({ refusedStarts }) => refusedStarts),
    faults: sum(({ faults }) => faults.length),
  };
}

export function printSite({ seed, what, rounds, counts, faults, evidence }: SiteResult): string {
  const line = `seed ${seed}: ${what}, ${rounds} rounds, ${counts.uploads} uploads, ${counts.acknowledgedParts} parts`;
  if (faults.length === 0) return `${line}: right`;
  return [`${line}: WRONG, evidence in ${evidence}`, ...faults.slice(0, 20)].join('\n  ');
}

export function printSummary({
  campaign,
  seed,
  rounds,
  folders,
  seconds,
  answers,
  counts,
  faults,
  refusedStarts,
}: Summary): string {
  const { uploads, acknowledgedParts, appends, completes, cancels, deletes, takenBackParts } = counts;
  return [
    `${campaign} (seed ${seed}): ${rounds} rounds on ${folders} data folders in ${seconds} s`,
    `${uploads} uploads, ${acknowledgedParts} parts and ${appends} appends acknowledged, ${takenBackParts} asked for again`,
    `${completes} completes, ${cancels} cancels, ${deletes} deletes, ${answers} answers checked`,
    ...(campaign === 'full' ? [`${refusedStarts} starts on a full disk refused with a clear message`] : []),
    `${faults} wrong`,
  ].join('; ');
}
