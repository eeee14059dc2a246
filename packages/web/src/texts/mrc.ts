/** Texts about the content of MRC files: header, preview, statistics. */
import { formatBytes, formatCount } from '../format.ts';
import { plural } from './plural.ts';

const KINDS = {
  image: 'Image',
  stack: 'Stack',
  tilt_series: 'Tilt series',
  volume: 'Volume',
  volume_stack: 'Stack of volumes',
} as const;

/** What a file is, in the words of the field. */
const WORDS = {
  image: 'Image',
  micrograph: 'Micrograph',
  gain: 'Gain reference',
  movie: 'Movie',
  particles: 'Particles',
  tilt_series: 'Tilt series',
  volume: 'Volume',
  tomogram: 'Tomogram',
  volume_stack: 'Stack of volumes',
  transform: 'Fourier transform',
} as const;

const HOLDS = {
  fei: 'a record of Thermo Fisher for each image',
  serialem: 'a record of SerialEM for each image',
  agard: "a record in Agard's format for each image",
  symmetry: 'operators of the space group',
} as const;

const MODES: Record<number, string> = {
  // Signed or unsigned: the header does not say which.
  0: '8-bit',
  1: 'int16',
  2: 'float32',
  3: 'complex int16',
  4: 'complex float32',
  6: 'uint16',
  12: 'float16',
  16: 'RGB',
  101: '4-bit',
};

export const mrcTexts = {
  kind: KINDS,
  word: WORDS,
  kindBecause: (kind: keyof typeof KINDS, because: string | undefined) =>
    because === undefined ? KINDS[kind] : `${KINDS[kind]}: ${because}`,
  mode: (mode: number) => MODES[mode] ?? `mode ${mode}`,
  noHeader: 'No MRC header',
  table: {
    caption: 'MRC header',
    kind: 'Kind',
    dims: 'Dimensions',
    mode: 'Data type',
    axes: 'Axes',
    pixel: (kind: keyof typeof KINDS) => (kind === 'volume' || kind === 'volume_stack' ? 'Voxel size' : 'Pixel size'),
    extent: 'Extent',
    volumes: 'Volumes',
    start: 'First column, row, section',
    origin: 'Origin',
    angles: 'Cell angles',
    spaceGroup: 'Space group',
    firstRow: 'First row',
    tilts: 'Tilt angles',
    symmetry: 'Symmetry',
    acquisition: {
      microscope: 'Microscope',
      camera: 'Camera',
      application: 'Program',
      voltage: 'Voltage',
      magnification: 'Magnification',
      dose: 'Dose',
      defocus: 'Defocus',
      exposure: 'Exposure',
      slit: 'Energy slit',
      tilt_axis: 'Tilt axis',
    },
    byteOrder: 'Byte order',
    extended: 'Extended header',
    expected: 'Size by the header',
    min: 'Minimum',
    max: 'Maximum',
    mean: 'Mean',
    rms: 'RMS deviation',
    stats: 'Statistics',
    labels: 'Labels',
  },
  little: 'little-endian',
  big: 'big-endian',
  none: 'none',
  noStats: 'not determined',
  oblique: (angles: string) => `${angles}°: the cell is not orthogonal; pictures show its sections as rectangles`,
  modeNumber: (mode: number, bytes: number) => `mode ${mode}, ${bytes} B per voxel`,
  extendedOf: (type: string, bytes: number, holds: keyof typeof HOLDS | null | undefined) =>
    [...(type === '' ? [] : [type]), formatBytes(bytes), ...(holds ? [HOLDS[holds]] : [])].join(', '),
  firstRow: (first: 'top' | 'bottom', because: string) => `${first === 'top' ? 'on top' : 'at the bottom'}: ${because}`,
} as const;

export const pictureTexts = {
  heading: 'Picture',
  kind: 'Show',
  kinds: {
    section: 'Section',
    average: 'Average',
    montage: 'Montage',
    spectrum: 'Power spectrum',
    profile: 'Power spectrum, rotational average',
    means: 'Means of sections',
  },
  /** One section of such a file. */
  sectionOf: {
    image: 'Image',
    micrograph: 'Micrograph',
    gain: 'Gain reference',
    movie: 'Frame',
    particles: 'Image',
    tilt_series: 'Tilt',
    volume: 'Section',
    tomogram: 'Section',
    volume_stack: 'Section',
    transform: 'Transform',
  } satisfies Record<keyof typeof WORDS, string>,
  frame: 'Picture: zoom and move it with keys',
  zoom: 'Zoom',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  oneToOne: '1:1, one voxel for each pixel',
  whole: 'Whole picture',
  /** `scale`: pixels of the screen for one of the picture. */
  zoomOf: (scale: number, hasVoxels: boolean) =>
    `${scale < 0.1 ? (scale * 100).toFixed(1) : formatCount(Math.round(scale * 100))} %${hasVoxels && scale === 1 ? ' (1:1)' : ''}`,
  scaleBar: (length: string) => `Scale bar: ${length}`,
  help: (hasSections: boolean) =>
    `Keys on the picture: + and − zoom, 0 the whole, 1 each voxel (1:1), arrows move it${hasSections ? ', Page Up and Page Down or . and , go through the sections' : ''}. Ctrl and the wheel, a double click or two fingers zoom; drag to move it${hasSections ? '; after a click the wheel goes through the sections' : ''}.`,
  slab: 'Mean of',
  slabOf: (sections: number) => (sections === 1 ? 'one section' : `${sections} sections`),
  lowPass: 'Low-pass',
  lowPassOf: (angstroms: number) => (angstroms === 0 ? 'none' : `${angstroms} Å`),
  black: 'Black',
  white: 'White',
  percentile: (percent: number) => `${percent.toFixed(1)} %`,
  axis: 'Across',
  axes: { z: 'z', y: 'y', x: 'x' },
  sliceOf: (slice: number, count: number) => `${formatCount(slice)} of 0 to ${formatCount(count - 1)}`,
  contrast: 'Contrast',
  contrasts: { sigma: 'Mean ± 3 σ', percentile: '0.1 to 99.9 %', cell: 'Each image by itself', own: 'As set below' },
  range: 'Frequencies',
  ranges: { thon: 'To 2.8 Å: Thon rings', full: 'All: ice' },
  drawing: 'Drawing …',
  none: 'This file has no such picture.',
  early: (section: number, filename: string) => `Section ${formatCount(section)} of ${filename}, which has arrived`,
  alt: (kind: string, filename: string, section: string | null) =>
    `${kind} of ${filename}${section === null ? '' : `, ${section}`}`,
} as const;

export const voxelsTexts = {
  heading: 'Statistics of the voxels',
  computing: 'Computing …',
  none: 'This file has no statistics.',
  count: 'Voxels',
  min: 'Minimum',
  max: 'Maximum',
  mean: 'Mean',
  sd: 'Standard deviation',
  bytes: 'Bytes read as',
  bytesBecause: (value: string, because: string) => `${value}: ${because}`,
  notFinite: 'Not finite',
  notFiniteOf: (nan: number, inf: number) => `${formatCount(nan)} NaN, ${formatCount(inf)} infinite`,
  hot: 'Hot pixels',
  dose: 'Dose per frame',
  doseOf: (perPixel: string, perArea: string | null) =>
    perArea === null ? `${perPixel} e⁻ per pixel` : `${perPixel} e⁻ per pixel, ${perArea} e⁻/Å²`,
  ice: 'Ice',
  iceOf: (angstroms: string, ratio: string) => `a peak at ${angstroms} Å, ${ratio} times its surroundings`,
  means: (count: number, min: string, max: string) =>
    `Means of the ${formatCount(count)} sections, from ${min} to ${max}`,
  sds: (count: number, min: string, max: string) =>
    `Standard deviations of the ${formatCount(count)} sections, from ${min} to ${max}`,
  histogram: (min: string, max: string) => `Histogram from ${min} to ${max}, heights by square root`,
  histogramValues: 'Value of a voxel',
  histogramDensity: 'Voxels per unit of value (square-root scale)',
} as const;

export const mdocTexts = {
  caption: 'Session data (.mdoc)',
  chip: 'Session data',
  line: (sections: number, series: string | undefined) =>
    [plural(sections, 'section', 'sections'), ...(series === undefined ? [] : [`of ${series}`])].join(' '),
  file: 'File',
  series: 'Series',
  noSeries: 'not uploaded to this folder',
  sections: 'Sections',
  tilts: 'Tilt angles',
  dose: 'Total dose',
  pixel: 'Pixel size',
  voltage: 'Voltage',
  defocus: 'Defocus',
  rotation: 'Rotation angle',
  taken: 'Taken (time of the microscope)',
  frames: 'Movies',
  framesOf: (named: number, missing: number | null) =>
    `${formatCount(named)} named${missing === null ? '' : missing === 0 ? ', all are here' : `, ${formatCount(missing)} missing`}`,
  missing: 'Missing movies',
  titles: 'Titles',
  pairs: (count: number) => plural(count, 'further key', 'further keys'),
  pairsCaption: 'Further keys, of the whole file and of its sections',
  pairsCut: 'The sections have more keys than the server keeps.',
  noValue: '–',
  moreValues: (count: number) => `and ${formatCount(count)} more`,
  range: (least: string, greatest: string) => (least === greatest ? `${least} µm` : `${least} to ${greatest} µm`),
} as const;

export const tiffTexts = {
  caption: 'Structure',
  formats: { tiff: 'TIFF', bigtiff: 'BigTIFF', eer: 'EER' },
  bits: (bits: number) => `${bits} bit`,
  fields: {
    kind: 'Kind',
    format: 'Format',
    dimensions: 'Dimensions',
    other_images: 'Other images',
    pixels: 'Pixels',
    compression: 'Compression',
    layout: 'Layout',
    pixel_size: 'Pixel size',
    camera: 'Camera',
    exposure: 'Exposure',
    dose: 'Dose',
    gain_reference: 'Gain reference',
    taken: 'Taken (time of the camera)',
    software: 'Written by',
    description: 'Description',
    picture: 'Picture',
  },
} as const;

/** What a file is and whether it is good. `shape`: pixels or voxels of one image or volume; `count`: how many. */
export const verdictTexts = {
  what: {
    image: (shape: string) => `An image of ${shape} pixels`,
    micrograph: (shape: string) => `A micrograph, or a frame of a movie, of ${shape} pixels`,
    gain: (shape: string) => `A gain reference, by its name: an image of ${shape} pixels`,
    movie: (shape: string, count: string) =>
      `A movie, or images taken one after the other: ${count} of ${shape} pixels`,
    particles: (shape: string, count: string) =>
      `A stack of ${count} small images, such as particles, of ${shape} pixels`,
    tilt_series: (shape: string, count: string) => `A tilt series: ${count} images of ${shape} pixels`,
    volume: (shape: string) => `A volume of ${shape} voxels`,
    tomogram: (shape: string) => `A tomogram, by its name: a volume of ${shape} voxels`,
    volume_stack: (shape: string, count: string) => `${count} volumes of ${shape} voxels each`,
    transform: (shape: string) => `A Fourier transform of ${shape} complex numbers`,
  },
  ofSize: (size: string) => `, ${size} each`,
  noSize: '; their size in Å is not known',
  ofMovie: 'Session data of the microscope for one movie.',
  ofSeries: (sections: number) =>
    `Session data of the microscope for a series of ${plural(sections, 'image', 'images')}.`,
  undecoded: (format: string) => `A ${format} file whose pixels are not decoded here.`,
  other: 'Not an MRC file, or its header cannot be read.',
  good: 'No fault was found: the header is valid, every byte is here, and the voxels were read.',
  hot: (hot: number) =>
    `Good, with ${plural(hot, 'hot pixel', 'hot pixels')}, which the pictures leave out of the contrast.`,
  check: (count: number) => `Check this file before you use it: ${plural(count, 'note', 'notes')} below.`,
  waiting: 'The header is valid, and every byte is here. The voxels are being read …',
  unread: 'Every byte is here, but the voxels cannot be read.',
  walked: 'Its structure is whole, and every byte is here.',
  stored: 'Every byte is here, as it was sent. The content was not examined.',
  read: 'No fault was found: it was read, and its series is here.',
  noSeries: 'It was read, but its series is not uploaded to this folder.',
  missing: (count: number) =>
    `Not complete: ${plural(count, 'movie', 'movies')} that it names ${count === 1 ? 'is' : 'are'} not uploaded.`,
} as const;
