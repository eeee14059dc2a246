import { BoxMean } from '../pictures/box-mean.ts';
import type { Region } from '../pictures/preview-request.ts';
import type { Raster } from '../pictures/raster.ts';
import type { VoxelSink } from '../pictures/section.ts';

/** The box means of a part of a section. Voxels outside of it are passed over. */
export class WindowMean implements VoxelSink {
  readonly #window: Region;
  readonly #mean: BoxMean;

  /** @param window columns and rows of the file's section; row 0 is the first. */
  constructor(window: Region, factor: number) {
    this.#window = window;
    this.#mean = new BoxMean(window.width, window.height, factor);
  }

  wants(row: number): boolean {
    const { y, height } = this.#window;
    return row >= y && row < y + height;
  }

  addRun(row: number, column: number, values: Float32Array, from: number, to: number): void {
    if (!this.wants(row)) return;
    const { x, y, width } = this.#window;
    const start = Math.max(column, x);
    const end = Math.min(column + to - from, x + width);
    if (start < end) this.#mean.addRun(row - y, start - x, values, from + start - column, from + end - column);
  }

  raster(): Raster {
    return this.#mean.raster();
  }
}

/** Several windows that are read in one pass. */
export function together(sinks: readonly VoxelSink[]): VoxelSink {
  return {
    wants: (row) => sinks.some((sink) => sink.wants(row)),
    addRun: (...run) => {
      for (const sink of sinks) sink.addRun(...run);
    },
  };
}
