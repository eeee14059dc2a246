import type { VoxelLayout, VoxelSource } from '../voxels/voxels.ts';
import { flipRows, type Raster } from './raster.ts';
import { readSection } from './section.ts';

const MAX_IMAGES = 25;
/** Width of the black gap between the images. */
const GAP_PX = 2;

/**
 * The first 25 sections side by side, starting at the top left. The montage is at most `sizePx` wide and high; its row
 * 0 is the top. `change` is applied to each image. NaN between the images.
 */
export async function readMontage(
  source: VoxelSource,
  layout: VoxelLayout,
  sizePx: number,
  change: (image: Raster) => Raster,
): Promise<Raster> {
  const count = Math.min(layout.nz, MAX_IMAGES);
  const columns = Math.ceil(Math.sqrt(count));
  const cellPx = Math.floor((sizePx + GAP_PX) / columns) - GAP_PX;
  const images: Raster[] = [];
  for (let z = 0; z < count; z++) {
    const image = change(await readSection(source, layout, 'z', z, cellPx));
    images.push(layout.isFlipped ? image : flipRows(image));
  }
  return arrange(images, columns);
}

/** Arranges images of equal size row by row. */
function arrange(images: readonly Raster[], columns: number): Raster {
  const { widthPx: cellWidth, heightPx: cellHeight } = images[0] as Raster;
  const widthPx = columns * (cellWidth + GAP_PX) - GAP_PX;
  const heightPx = Math.ceil(images.length / columns) * (cellHeight + GAP_PX) - GAP_PX;
  const values = new Float32Array(widthPx * heightPx).fill(Number.NaN);
  images.forEach((image, index) => {
    const left = (index % columns) * (cellWidth + GAP_PX);
    const top = Math.floor(index / columns) * (cellHeight + GAP_PX);
    for (let y = 0; y < cellHeight; y++) {
      values.set(image.values.subarray(y * cellWidth, (y + 1) * cellWidth), (top + y) * widthPx + left);
    }
  });
  return { widthPx, heightPx, values };
}
