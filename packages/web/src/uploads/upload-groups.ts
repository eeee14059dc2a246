/** The order in which uploads are listed. */
import type { Upload } from './upload.ts';
import type { UploadState } from './upload-states.ts';

export interface UploadGroups {
  /** Failed or refused: without the user nothing more happens. */
  readonly attention: readonly Upload[];
  /** Under way, or stopped on the way. Pausing one changes no order. */
  readonly current: readonly Upload[];
  readonly queued: readonly Upload[];
  readonly done: readonly Upload[];
}

const GROUPS: Record<UploadState, keyof UploadGroups> = {
  failed: 'attention',
  refused: 'attention',
  checking: 'current',
  running: 'current',
  paused: 'current',
  interrupted: 'current',
  cancelling: 'current',
  queued: 'queued',
  done: 'done',
};

/** Each group in the order in which its uploads were added; failed ones before refused ones. */
export function groupUploads(all: readonly Upload[]): UploadGroups {
  const groups = { attention: [], current: [], queued: [], done: [] } as Record<keyof UploadGroups, Upload[]>;
  for (const upload of all) groups[GROUPS[upload.state]].push(upload);
  const isFailed = ({ state }: Upload) => state === 'failed';
  const failed = groups.attention.filter(isFailed);
  return { ...groups, attention: failed.concat(groups.attention.filter((upload) => !isFailed(upload))) };
}
