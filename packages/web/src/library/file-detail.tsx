/** One file in full. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { Checksum } from './checksum.tsx';
import { DeleteButton } from './delete-button.tsx';
import { DownloadButton } from './download-button.tsx';
import { Facts } from './property-table.tsx';
import { LinkButton } from './link-button.tsx';
import { ListFailure, Loading } from './list-state.tsx';
import { itemsOf, useFiles } from './list-cache.ts';
import { MrcTable } from './mrc-table.tsx';
import { Picture } from './picture.tsx';
import { Voxels } from './voxels.tsx';

/** As in library.css. */
const ALONE = '(max-width: 56rem)';

export function FileDetail({ fileId }: { fileId: string }) {
  const { api } = useAccount();
  const { data } = useFiles();
  const listed = useMemo(() => itemsOf(data).find(({ file_id }) => file_id === fileId), [data, fileId]);
  const asked = useQuery({ queryKey: ['file', fileId], queryFn: () => api.file(fileId), enabled: !listed });
  const file = listed ?? asked.data;
  return (
    <>
      <a className="back" href="#files">
        <Icon name="back" /> {texts.files.back}
      </a>
      {!file && asked.isPending && <Loading />}
      {!file && asked.isError && <ListFailure error={asked.error} onRetry={() => void asked.refetch()} />}
      {file && <FullRecord file={file} />}
    </>
  );
}

function FullRecord({ file }: { file: FileRecord }) {
  const article = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a small screen it takes the place of the list, with the link that had the focus.
    if (!matchMedia(ALONE).matches) return;
    scrollTo(0, 0);
    article.current?.focus({ preventScroll: true });
  }, []);
  const { filename, size, sha256, warnings } = file;
  const metadata = Object.entries(file.metadata);
  const { mode0 } = file.metadata;
  return (
    <article ref={article} className="detail card" aria-label={filename} tabIndex={-1}>
      <h2 className="detail-name">{filename}</h2>
      <div className="actions">
        <DownloadButton file={file} />
        <LinkButton fileId={file.file_id} />
        <DeleteButton file={file} />
      </div>
      {warnings.length > 0 && (
        <div className="notice notice-warning">
          <h3>{texts.files.warnings}</h3>
          <ul>
            {warnings.map(({ code, message }) => (
              <li key={code}>{message}</li>
            ))}
          </ul>
        </div>
      )}
      {file.mrc && (
        <Picture key={file.mrc.kind} fileId={file.file_id} filename={filename} mrc={file.mrc} mode0={mode0} />
      )}
      {file.mrc && <Voxels fileId={file.file_id} mode0={mode0} />}
      {file.mrc && <MrcTable mrc={file.mrc} />}
      <h3>{texts.files.checksums}</h3>
      <Checksum label={texts.files.sha256} value={sha256} />
      <Checksum label={texts.files.sumLine} value={`${sha256}  ${filename}`} />
      <Checksum label={texts.files.partsSha256} value={file.parts_sha256} />
      <Facts
        caption={texts.files.facts}
        facts={[
          [texts.files.size, `${formatBytes(size)} (${formatCount(size)} bytes)`],
          [texts.files.uploaded, formatTime(file.created_at)],
          [texts.files.parts, texts.files.partsOf(file.part_count, file.part_size)],
          [texts.files.type, file.content_type],
          [texts.files.id, file.file_id],
          ...(file.location === undefined ? [] : [[texts.files.location, file.location] as const]),
        ]}
      />
      {metadata.length > 0 && <Facts caption={texts.files.metadata} facts={metadata} />}
    </article>
  );
}
