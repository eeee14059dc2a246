export { checkMrc, type MrcCandidate, type MrcCheck } from './check/check.ts';
export { describeAcquisition, describeExtent, describeTilts } from './check/describe.ts';
export { describePixelSize } from './check/pixel-size.ts';
export { checkMrcSize } from './check/rejections.ts';
export { completeSummary, type MrcSummary } from './check/summary.ts';
export { describeMrc, EXTENDED_WARNINGS, type MrcDescription } from './extended/description.ts';
export type { Finding, NoteCode, RejectionCode, WarningCode } from './finding.ts';
export { type Axis, axisOrder } from './header/axes.ts';
export { describeAxes, isPlausibleVoxel } from './header/geometry.ts';
export { type MrcHeader, parseHeader, type Triple } from './header/header.ts';
export { HEADER_BYTES as MRC_HEADER_BYTES } from './header/layout.ts';
export { statisticsOf, voxelSize } from './header/meaning.ts';
export { sectionBytes } from './header/section-bytes.ts';
export { type HeaderWord, listWords } from './header/words.ts';
export { buildHeader, type HeaderFields } from './header/writer.ts';
export { decideKind, giveKind, type KindDecision, type KindEvidence, MRC_KINDS, type MrcKind } from './kind/kind.ts';
export { extensionOf, isMrcName, MRC_EXTENSIONS } from './kind/name.ts';
export { applyKind, type MrcOverrides, readOverrides } from './kind/overrides.ts';
export { decideSignedness, type Signedness, type SignednessDecision } from './kind/signedness.ts';
export { MAX_MDOC_BYTES } from './mdoc/lines.ts';
export { decodeMdoc, isMdocName, parseMdoc } from './mdoc/mdoc.ts';
export { type MdocNames, namesInMdoc } from './mdoc/named-files.ts';
export { type MdocSummary, summariseMdoc } from './mdoc/summary.ts';
export { applyMdoc } from './mdoc/tilt-series.ts';
export { collectedPicture } from './pictures/collected.ts';
export { CONTRASTS, type Contrast } from './pictures/contrast.ts';
export type { Picture } from './pictures/picture.ts';
export { encodePng } from './pictures/png.ts';
export { type PreviewOutcome, renderPreview } from './pictures/preview.ts';
export {
  centralSection,
  defaultPreviews,
  isMovie,
  PREVIEW_KINDS,
  type Previewed,
  type PreviewKind,
  type PreviewRequest,
  type Region,
  sectionsAlong,
  spectrumSlice,
} from './pictures/preview-request.ts';
export { type ContentReader, generateMrc, type MrcContent, openContent } from './samples/content.ts';
export { SPECTRUM_RANGES, type SpectrumRange } from './spectra/plan.ts';
export type { IcePeak } from './spectra/profile.ts';
export { renderSpectrumAndProfile } from './spectra/render.ts';
export { compareStatistics, VOXEL_WARNINGS } from './statistics/compare.ts';
export { checkVoxels, type FileStatistics, sumUpFile } from './statistics/file-statistics.ts';
export { type Dose, hasFrames } from './statistics/frames.ts';
export type { Histogram } from './statistics/histogram.ts';
export type { SectionStatistics } from './statistics/section-statistics.ts';
export { Statistics, type VoxelStatistics } from './statistics/statistics.ts';
export { checkDecoded, completeDecoded, summariseDecoded } from './tiff/as-mrc.ts';
export { TiffDataError } from './tiff/block-stream.ts';
export { type DecodedTiff, openTiff } from './tiff/decoded.ts';
export {
  describeCompression,
  describeTiff,
  describeTiffFormat,
  describeTiffPixels,
  describeTiffSize,
  type TiffField,
} from './tiff/describe.ts';
export { TIFF_DATA_WARNINGS, type TiffRejectionCode, type TiffWarningCode } from './tiff/finding.ts';
export { isTiff, readTiffHeader, TIFF_HEADER_BYTES } from './tiff/header.ts';
export { isTiffName, mayBeTiff, TIFF_EXTENSIONS } from './tiff/name.ts';
export type { EerSummary, TiffSummary } from './tiff/summary.ts';
export { checkTiff, type TiffCheck } from './tiff/walk.ts';
export type { Tilts } from './tilts/tilts.ts';
export { slabAround } from './views/slab.ts';
export { VoxelAnalysis } from './voxel-analysis.ts';
export { settleLayout } from './voxels/settled-layout.ts';
export { decodeVoxels, extentOf, layoutOf, type VoxelLayout, type VoxelSource } from './voxels/voxels.ts';
