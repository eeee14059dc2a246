/** What a summary says of the places of sections. */
interface Placed {
  readonly nz: number;
  /** Bytes of the whole file by its header. */
  readonly expected_size: number;
  readonly extended_header: { readonly bytes: number };
}

const HEADER_BYTES = 1024;

/**
 * The bytes of sections `from` up to, not including, `to`, which follow each other without gaps: positions from the
 * start of the file, `end` is excluded. They may be fractions of a byte in 4-bit files.
 */
export function sectionBytes(
  { nz, expected_size, extended_header }: Placed,
  from: number,
  to: number,
): { readonly start: number; readonly end: number } {
  const dataOffset = HEADER_BYTES + extended_header.bytes;
  const bytes = (expected_size - dataOffset) / nz;
  return { start: dataOffset + from * bytes, end: dataOffset + to * bytes };
}
