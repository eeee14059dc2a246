/** Limits of datasets, for clients and the server. */
export const DATASET_LIMITS = {
  /** Characters of a name. */
  name: 200,
  /** Characters of `project` and `instrument`. */
  text: 256,
  /** Free fields, and characters of a key and of a value. */
  fields: 64,
  fieldKey: 128,
  fieldValue: 4096,
  /** UTF-8 bytes of all free fields. */
  fieldBytes: 16 * 1024,
  /** Datasets of one owner. */
  perOwner: 10_000,
  /** Files announced by one call, and for one dataset. */
  expectedPerCall: 1_000,
  expectedFiles: 200_000,
  /** Characters of a path. */
  path: 1_024,
} as const;
