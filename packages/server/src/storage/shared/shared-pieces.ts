/** Pieces in a folder that several servers mount. */
import { PlacedPieces } from '../disk/placed-pieces.ts';
import type { StagedUpload } from '../places.ts';

export class SharedPieces extends PlacedPieces {
  /**
   * A server that was stopped before it gave the file a length would cut off what others have written since, also of a file
   * that was published: while the length is not known, the file is as long as what was written. A known length is the same
   * at all servers.
   */
  override async resize(upload: StagedUpload): Promise<void> {
    if (!upload.isGrowing) await super.resize(upload);
  }
}
