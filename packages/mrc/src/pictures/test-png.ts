/** Reads and compares pictures, and keeps golden files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { crc32, inflateSync } from 'node:zlib';
import type { Picture } from './picture.ts';
import { encodePng } from './png.ts';

interface Image {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly gray: Uint8Array;
}

/** Reads an 8-bit grey PNG without filters, and asserts that it is valid. `text`: contents of its tEXt chunk. */
export function decodePng(png: Uint8Array): Image & { text: string } {
  const file = Buffer.from(png);
  assert.equal(file.toString('latin1', 0, 8), '\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    chunks.set(type, file.subarray(at + 8, at + 8 + length));
    assert.equal(file.readUInt32BE(at + 8 + length), crc32(file.subarray(at + 4, at + 8 + length)), `CRC of ${type}`);
    at += length + 12;
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'tEXt', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR') as Buffer;
  assert.deepEqual([...header.subarray(8)], [8, 0, 0, 0, 0]);
  const [widthPx, heightPx] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const lines = inflateSync(chunks.get('IDAT') as Buffer);
  assert.equal(lines.length, (widthPx + 1) * heightPx);
  const gray = new Uint8Array(widthPx * heightPx);
  for (let y = 0; y < heightPx; y++) {
    assert.equal(lines[y * (widthPx + 1)], 0);
    gray.set(lines.subarray(y * (widthPx + 1) + 1, (y + 1) * (widthPx + 1)), y * widthPx);
  }
  return { widthPx, heightPx, gray, text: (chunks.get('tEXt') as Buffer).toString('latin1') };
}

/** Asserts that a picture equals fixtures/NAME.png, which UPDATE_GOLDEN=1 writes again. */
export async function assertGolden(picture: Picture, name: string): Promise<void> {
  const path = new URL(`../../fixtures/${name}.png`, import.meta.url);
  const png = await encodePng(picture);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, png);
  assert.ok(existsSync(path), `${path.pathname} is missing; UPDATE_GOLDEN=1 writes it`);
  const golden = decodePng(readFileSync(path));
  assert.deepEqual([picture.widthPx, picture.heightPx], [golden.widthPx, golden.heightPx]);
  const similarity = structuralSimilarity(picture, golden);
  assert.ok(similarity > 0.99, `${name}: structural similarity ${similarity.toFixed(4)}`);
}

const WINDOW = 8;
const STEP = 4;

/** SSIM (Wang et al. 2004) of two images of one size, over windows of 8 × 8 pixels: 1 when they are the same. */
export function structuralSimilarity(a: Image, b: Image): number {
  const scores: number[] = [];
  for (let y = 0; y + WINDOW <= a.heightPx; y += STEP) {
    for (let x = 0; x + WINDOW <= a.widthPx; x += STEP) scores.push(similarityAt(a, b, x, y));
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function similarityAt(a: Image, b: Image, left: number, top: number): number {
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let y = top; y < top + WINDOW; y++) {
    for (let index = y * a.widthPx + left; index < y * a.widthPx + left + WINDOW; index++) {
      const [p, q] = [a.gray[index] as number, b.gray[index] as number];
      sumA += p;
      sumB += q;
      sumAA += p * p;
      sumBB += q * q;
      sumAB += p * q;
    }
  }
  const n = WINDOW * WINDOW;
  const [meanA, meanB] = [sumA / n, sumB / n];
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  const luminance = (2 * meanA * meanB + c1) / (meanA ** 2 + meanB ** 2 + c1);
  const covariance = sumAB / n - meanA * meanB;
  const variances = sumAA / n - meanA ** 2 + (sumBB / n - meanB ** 2);
  return (luminance * (2 * covariance + c2)) / (variances + c2);
}
