/** Kinds of jobs on datasets. */

/** Deletes the files of a dataset that was deleted, or has expired. */
export const EMPTY_DATASET = 'empty_dataset';
/** Completes a dataset that is whole. */
export const CHECK_DATASET = 'check_dataset';
/** Signs the receipt of a completed dataset. */
export const RECEIPT = 'receipt';
/** Copies a dataset to a destination; the job names the push. */
export const PUSH = 'push';
/** The command of the administrator. */
export const ON_DATASET_COMPLETE = 'on_dataset_complete';
