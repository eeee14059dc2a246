/** The errors for uploads that are not started. */
import { UploadError } from '@cryolift/protocol/errors';
import { tooManyDatasets } from '../datasets/datasets.ts';
import type { UploadRow } from '../db/tables.ts';
import type { OpenOutcome } from '../db/uploads/upload-opening.ts';
import type { UploadContext } from './context.ts';
import type { UploadLink } from './upload-links.ts';

export function refusalOf(
  outcome: Exclude<OpenOutcome, { row: UploadRow }>,
  row: UploadRow,
  policy: UploadContext['policy'],
  link: UploadLink | null,
): UploadError {
  switch (outcome.kind) {
    case 'idempotency_conflict':
      return new UploadError('idempotency_conflict', 'This Idempotency-Key was used with a different request.');
    case 'too_many_open': {
      const { open: used } = outcome;
      const limit = policy.maxOpenUploads;
      return new UploadError('quota_exceeded', `You have ${used} uploads open; ${limit} are allowed.`, {
        hint: 'Finish or cancel some of them: GET /uploads lists yours.',
        details: { used, limit, needed: 1 },
      });
    }
    case 'too_many_files': {
      const { files: used } = outcome;
      const limit = policy.maxFiles;
      return new UploadError('quota_exceeded', `You have ${used} files and uploads; ${limit} are allowed.`, {
        hint: 'Delete files, or ask for a larger CRYOLIFT_QUOTA_FILES. Uploads that ended count until their rows are deleted.',
        details: { used, limit, needed: 1 },
      });
    }
    case 'dataset_not_found':
      return new UploadError('dataset_not_found', 'There is no such dataset.');
    case 'dataset_closed':
      return new UploadError('dataset_closed', `The dataset ${outcome.name} is ${outcome.state}: it takes no files.`, {
        details: { state: outcome.state },
      });
    case 'dataset_full': {
      const details = { used: outcome.usedBytes, limit: outcome.quotaBytes, needed: row.size };
      const message = `${printBytes(details)}: more than the quota of the dataset ${outcome.name}.`;
      return new UploadError('quota_exceeded', message, { details });
    }
    case 'too_many_datasets':
      return tooManyDatasets(outcome.datasets);
    case 'too_many_ended':
      return new UploadError('quota_exceeded', `${outcome.ended} uploads have ended without a file.`, {
        hint: 'They count until their rows are deleted. Check for a program that starts uploads and does not finish them.',
      });
    case 'too_many_keys':
      return new UploadError('quota_exceeded', 'This upload has been found under too many Idempotency-Keys.', {
        hint: 'Send the same Idempotency-Key again, or none.',
      });
    case 'quota_exceeded': {
      const details = { used: outcome.usedBytes, limit: policy.quotaBytes, needed: row.size };
      return new UploadError('quota_exceeded', `${printBytes(details)}: more than your quota.`, { details });
    }
    case 'link_exceeded': {
      const details = { used: outcome.usedBytes, limit: link?.maxBytes ?? null, needed: row.size };
      const files = { used_files: outcome.usedFiles, limit_files: link?.maxFiles ?? null };
      const reason =
        details.limit !== null && details.used + details.needed > details.limit
          ? printBytes(details)
          : `${files.used_files} of ${files.limit_files} files were started, and this file is one more`;
      return new UploadError('quota_exceeded', `${reason}: more than this link allows.`, {
        hint: 'Ask for another link, or cancel unfinished uploads.',
        details: { ...details, ...files },
      });
    }
    case 'no_space': {
      const available = Math.max(0, outcome.availableBytes);
      return new UploadError(
        'insufficient_storage',
        `The file has ${row.size} bytes; ${available} are left for new uploads.`,
        {
          details: { needed: row.size, available },
        },
      );
    }
  }
}

function printBytes({ used, limit, needed }: { used: number; limit: number | null; needed: number }): string {
  return `${used} of ${limit} bytes are used, and this file needs ${needed}`;
}
