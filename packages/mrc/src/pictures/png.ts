import type { Picture } from './picture.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const BIT_DEPTH = 8;
const GRAYSCALE = 0;

/**
 * An 8-bit grey PNG (ISO/IEC 15948) with a tEXt chunk "Description" that says what the picture shows, and, but for
 * plots, which values are black and white.
 */
export async function encodePng({ widthPx, heightPx, gray, shows, black, white }: Picture): Promise<Uint8Array> {
  const size = new DataView(new ArrayBuffer(13));
  size.setUint32(0, widthPx);
  size.setUint32(4, heightPx);
  size.setUint8(8, BIT_DEPTH);
  size.setUint8(9, GRAYSCALE);
  const limits =
    black === null || white === null ? '' : `; black is ${black.toPrecision(6)}, white is ${white.toPrecision(6)}`;
  const text = `Description\0${shows}${limits}`;
  return concatenate([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', new Uint8Array(size.buffer)),
    chunk('tEXt', latin1(text)),
    chunk('IDAT', await deflate(scanlines(widthPx, heightPx, gray))),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** Each row after a byte 0: no filter. Filters gain nothing on noise. */
function scanlines(widthPx: number, heightPx: number, gray: Uint8Array): Uint8Array<ArrayBuffer> {
  const lines = new Uint8Array((widthPx + 1) * heightPx);
  for (let y = 0; y < heightPx; y++) {
    lines.set(gray.subarray(y * widthPx, (y + 1) * widthPx), y * (widthPx + 1) + 1);
  }
  return lines;
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(latin1(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
