/** Many power losses of a few recorded runs. */
import { LAYOUTS, prepareProcess } from './own-process.ts';
import { Recording } from './recording.ts';
import { type Recovered, recover } from './recovery.ts';

export interface Summary {
  losses: number;
  uploads: number;
  acknowledgedParts: number;
  /** Of these, asked for again. */
  takenBackParts: number;
  answers: number;
  faults: number;
}

export function emptySummary(): Summary {
  return { losses: 0, uploads: 0, acknowledgedParts: 0, takenBackParts: 0, answers: 0, faults: 0 };
}

/**
 * Loses power with each of the seeds, and starts the server again.
 *
 * @param perRecording so many on one run of the server; then there is another one. @param nthRecording the first one's number:
 *   they take turns at the layouts.
 * @param made a run of earlier, for all of them. @param onRecordingDone is called when no more is made of a run.
 */
export async function losePowerOften(
  firstSeed: number,
  count: number,
  perRecording: number,
  made: Recording | null,
  onWrong: (recovered: Recovered, recording: Recording) => void,
  onRecordingDone: (soFar: Readonly<Summary>, recording: Recording) => void = () => {},
  nthRecording = 0,
): Promise<Summary> {
  prepareProcess();
  const summary = emptySummary();
  for (let nth = nthRecording; summary.losses < count; nth++) {
    const recording = made ?? (await Recording.make(LAYOUTS[nth % LAYOUTS.length] ?? 'together'));
    let isWrong = false;
    const upTo = made ? count : Math.min(count, summary.losses + perRecording);
    while (summary.losses < upTo) {
      const recovered = await recover(recording, firstSeed + summary.losses);
      const { counts, answers, faults } = recovered;
      summary.losses++;
      summary.uploads += counts.uploads;
      summary.acknowledgedParts += counts.acknowledgedParts;
      summary.takenBackParts += counts.takenBackParts;
      summary.answers += answers;
      summary.faults += faults.length;
      if (faults.length === 0) continue;
      isWrong = true;
      onWrong(recovered, recording);
    }
    onRecordingDone(summary, recording);
    if (!isWrong && !made) recording.discard();
  }
  return summary;
}

export function printWrong({ loss, faults, evidence }: Recovered, recording: Recording): string {
  const { seed, at, order, boot } = loss;
  const what = `seed ${seed}: WRONG at line ${at}, order ${order}, ${boot} boot id, evidence in ${evidence}`;
  return [`${what}; again: --recording ${recording.folder} --seed ${seed} --seeds 1`, ...faults.slice(0, 20)].join(
    '\n  ',
  );
}
