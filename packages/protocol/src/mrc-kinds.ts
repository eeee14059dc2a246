/** What the data of an MRC file may be: the values of `mrc.kind` in records, and of `kind` in metadata. */
export const MRC_KINDS = ['image', 'stack', 'tilt_series', 'volume', 'volume_stack'] as const;
export type MrcKind = (typeof MRC_KINDS)[number];
