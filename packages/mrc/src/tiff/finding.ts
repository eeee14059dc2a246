/** Why a TIFF file is refused. */
export type TiffRejectionCode =
  | 'tiff_too_small'
  | 'not_tiff'
  | 'no_directory'
  | 'directory_beyond_file'
  | 'directory_repeated'
  | 'directory_unreadable'
  | 'dimensions_missing'
  | 'data_missing'
  | 'data_beyond_file'
  | 'data_too_short';

/** What the owner should check; the file may still be correct. */
export type TiffWarningCode =
  | 'walk_cut'
  | 'data_shared'
  | 'frames_empty'
  | 'frames_differ'
  | 'compression_unknown'
  | 'data_damaged';

/** The codes of warnings that reading the data of a file may add. */
export const TIFF_DATA_WARNINGS: readonly TiffWarningCode[] = ['data_damaged'];
