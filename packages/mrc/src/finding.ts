/** Why a file is refused. */
export type RejectionCode =
  | 'size_invalid'
  | 'file_too_small'
  | 'compressed'
  | 'other_format'
  | 'header_is_text'
  | 'header_empty'
  | 'header_unreadable'
  | 'extended_header_negative'
  | 'extended_header_beyond_file'
  | 'extended_header_missing'
  | 'file_too_short';

/** What the owner should check; the file may still be correct. */
export type WarningCode =
  | 'trailing_bytes'
  | 'size_not_checked'
  | 'unpadded_4bit_rows'
  | 'map_id_wrong'
  | 'machine_stamp_wrong'
  | 'axes_invalid'
  | 'volume_stack_uneven'
  | 'unusual_mode'
  | 'voxel_size_implausible'
  | 'cell_placeholder'
  | 'statistics_mismatch'
  | 'constant_data'
  | 'not_finite'
  | 'odd_frames';

/** Harmless deviations from MRC2014. */
export type NoteCode =
  | 'map_id_padding'
  | 'version_undeclared'
  | 'cell_not_orthogonal'
  | 'extended_type_unknown'
  | 'labels'
  | 'statistics'
  | 'hot_pixels'
  | 'ice';

/** One thing that was found; the message is for a person at a microscope. */
export interface Finding<Code extends string> {
  readonly code: Code;
  readonly message: string;
}

/** A number of bytes, or any other count, with separators: 1,234,567. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en');
}

/** A measured number with seven digits. */
export function print(value: number): string {
  return String(Number(value.toPrecision(7)));
}
