/** Generated micrographs with the contrast transfer of a microscope, for tests of power spectra. */
import { parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { buildHeader } from '../header/writer.ts';
import { Fft } from '../spectra/fft.ts';
import { layoutOf } from '../voxels/voxels.ts';
import { type Phantom, randomNumbers, sourceOf } from './test-phantom.ts';

/** Relativistic wavelength at 300 kV, spherical aberration of 2.7 mm, amplitude contrast of 7 %. Å. */
const WAVELENGTH = 0.019687;
const ABERRATION = 2.7e7;
const AMPLITUDE_CONTRAST = 0.07;
/** The finest resolution of the specimen, Å. */
const FINEST = 2.8;
const B_FACTOR = 60;

/** CTF² at a spatial frequency in 1 / Å. `defocus`: underfocus in Å. */
export function ctfSquared(frequency: number, defocus: number): number {
  const square = frequency * frequency;
  const phase =
    Math.PI * WAVELENGTH * defocus * square - (Math.PI / 2) * ABERRATION * WAVELENGTH ** 3 * square * square;
  return Math.sin(phase + Math.asin(AMPLITUDE_CONTRAST)) ** 2;
}

export interface MicrographFields {
  /** Pixels along one side, a power of two. */
  readonly edge: number;
  /** Å. */
  readonly pixel: number;
  readonly defocus: number;
  /** Power of the specimen ÷ that of the noise at low frequencies, about. */
  readonly signal?: number;
  /** Power of a ring of ice at 3.7 Å ÷ that of the noise. */
  readonly ice?: number;
  readonly seed?: number;
}

/**
 * A micrograph of 1,000 ± 40: a random specimen, seen through the CTF and an envelope, white noise, and a detector whose
 * response falls towards the finest frequency.
 */
export function makeMicrograph({
  edge,
  pixel,
  defocus,
  signal = 2,
  ice = 0,
  seed = 1,
}: MicrographFields): Float32Array {
  const gauss = gaussian(seed);
  const kept = Math.min(edge / 2 - 1, Math.floor((edge * pixel) / FINEST));
  const fft = new Fft(edge);
  const [real, imaginary] = [new Float32Array((kept + 1) * edge), new Float32Array((kept + 1) * edge)];
  const [re, im] = [new Float64Array(edge), new Float64Array(edge)];
  for (let kx = 0; kx <= kept; kx++) {
    re.fill(0);
    im.fill(0);
    for (let ky = -kept; ky <= kept; ky++) {
      const frequency = Math.hypot(kx, ky) / (edge * pixel);
      const envelope = (8 * Math.exp((-B_FACTOR * frequency * frequency) / 2)) / (1 + 30 * frequency);
      const ring = ice * Math.exp(-(((frequency - 1 / 3.7) / 0.003) ** 2) / 2);
      const amplitude = Math.sqrt((signal * envelope * ctfSquared(frequency, defocus) + ring) / 2);
      re[(ky + edge) % edge] = amplitude * gauss();
      im[(ky + edge) % edge] = amplitude * gauss();
    }
    fft.transform(re, im);
    real.set(re, kx * edge);
    imaginary.set(im, kx * edge);
  }
  const image = new Float32Array(edge * edge);
  // Two rows at a time, as the real and the imaginary part.
  for (let y = 0; y < edge; y += 2) {
    re.fill(0);
    im.fill(0);
    for (let kx = 1; kx <= kept; kx++) {
      const at = kx * edge + y;
      const [a, b] = [real[at] as number, imaginary[at] as number];
      const [c, d] = [real[at + 1] as number, imaginary[at + 1] as number];
      re[kx] = a - d;
      im[kx] = b + c;
      re[edge - kx] = a + d;
      im[edge - kx] = c - b;
    }
    fft.transform(re, im);
    for (let x = 0; x < edge; x++) {
      image[y * edge + x] = (re[x] as number) / edge + gauss();
      image[(y + 1) * edge + x] = (im[x] as number) / edge + gauss();
    }
  }
  return detect(image, edge).map((value) => 1000 + 40 * value);
}

/** Each pixel gets a part of its neighbours along both axes: 1/4, 1/2, 1/4. */
function detect(image: Float32Array, edge: number): Float32Array {
  const rows = image.map((value, at) => {
    const first = at - (at % edge);
    const [before, after] = [image[first + ((at - first + edge - 1) % edge)], image[first + ((at - first + 1) % edge)]];
    return value / 2 + ((before as number) + (after as number)) / 4;
  });
  const { length } = rows;
  return rows.map(
    (value, at) =>
      value / 2 + ((rows[(at + length - edge) % length] as number) + (rows[(at + edge) % length] as number)) / 4,
  );
}

/** Numbers of a normal distribution, drawn from 65,536 of them. */
function gaussian(seed: number): () => number {
  const random = randomNumbers(seed);
  const pool = Float64Array.from(
    { length: 65_536 },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  return () => pool[(random() * pool.length) | 0] as number;
}

/** The file of some square images of one size, as float32. `pixel`: Å. */
export function fileOf(images: readonly Float32Array[], pixel: number): Omit<Phantom, 'bytes'> {
  const edge = Math.sqrt(images[0]?.length ?? 0);
  const [nx, ny, nz] = [edge, edge, images.length];
  const fields = { nx, ny, nz, mode: 2, m: [nx, ny, 1], cella: [nx * pixel, ny * pixel, 1] } as const;
  const bytes = new Uint8Array(HEADER_BYTES + 4 * nx * ny * nz);
  bytes.set(buildHeader(fields));
  images.forEach((image, z) => {
    bytes.set(new Uint8Array(image.buffer, image.byteOffset, image.byteLength), HEADER_BYTES + 4 * nx * ny * z);
  });
  const header = parseHeader(bytes, bytes.length);
  const layout = layoutOf(header, bytes.length);
  if (!layout) throw new Error('a micrograph has no layout');
  return { header, layout, source: sourceOf(bytes) };
}
