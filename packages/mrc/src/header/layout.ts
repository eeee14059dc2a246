/** Byte offsets of the fields of an MRC2014 header from the start of the file. */
export const HEADER_BYTES = 1024;
export const LABEL_BYTES = 80;
export const LABEL_COUNT = 10;

export const OFFSET = {
  nx: 0,
  ny: 4,
  nz: 8,
  mode: 12,
  nstart: 16,
  m: 28,
  cella: 40,
  cellb: 52,
  axes: 64,
  dmin: 76,
  dmax: 80,
  dmean: 84,
  ispg: 88,
  nsymbt: 92,
  exttyp: 104,
  nversion: 108,
  nint: 128,
  nreal: 130,
  imodStamp: 152,
  imodFlags: 156,
  origin: 196,
  map: 208,
  /** The origin in files before 2000, where MAP, MACHST and RMS are now. */
  oldOrigin: 208,
  machst: 212,
  rms: 216,
  nlabl: 220,
  label: 224,
} as const;

/** The value of imodStamp in a file that IMOD wrote: "IMOD" read as a little-endian integer. */
export const IMOD_STAMP = 1146047817;
