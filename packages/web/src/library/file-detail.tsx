/** All that is known of one file. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { MdocTable } from '../mrc/mdoc-table.tsx';
import { MrcTable } from '../mrc/mrc-table.tsx';
import { Picture } from '../mrc/picture/picture.tsx';
import { shownHeader } from '../mrc/shown-header.ts';
import { TiffTable } from '../mrc/tiff-table.tsx';
import { VerdictLine } from '../mrc/verdict.tsx';
import { Voxels } from '../mrc/voxels.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { Checksum } from './checksum.tsx';
import { DatasetLink } from './dataset-link.tsx';
import { DeleteButton } from './delete-button.tsx';
import { DownloadButton } from './download-button.tsx';
import { LinkButton } from './link-button.tsx';
import { ListFailure, Loading } from './list-state.tsx';
import { PropertyTable } from './property-table.tsx';
import { libraryHref } from './query/library-state.ts';
import { useLibraryState } from './query/use-library-state.ts';
import { NARROW } from './use-list-scroll.ts';

const A_DAY_SECONDS = 24 * 3600;

export function FileDetail({ fileId }: { fileId: string }) {
  const { api, files } = useAccount();
  const state = useLibraryState();
  const request = useQuery({
    queryKey: ['file', fileId],
    queryFn: () => api.file(fileId),
    initialData: () => files.find(fileId),
  });
  const { data: file } = request;
  return (
    <>
      <a className="back" href={libraryHref(state)}>
        <Icon name="back" /> {texts.files.back}
      </a>
      {!file && request.isPending && <Loading />}
      {!file && request.isError && <ListFailure error={request.error} onRetry={() => void request.refetch()} />}
      {file && <FileRecordView file={file} />}
    </>
  );
}

function FileRecordView({ file }: { file: FileRecord }) {
  const { api } = useAccount();
  const article = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a small screen it replaces the list, and the focused link with it.
    if (!matchMedia(NARROW).matches) return;
    scrollTo(0, 0);
    article.current?.focus({ preventScroll: true });
  }, []);
  const { filename, size, sha256, warnings } = file;
  const metadata = Object.entries(file.metadata);
  const { mode0 } = file.metadata;
  const shown = shownHeader(file);
  return (
    <article ref={article} className="detail card" aria-label={filename} tabIndex={-1}>
      <h2 className="detail-name">{filename}</h2>
      <VerdictLine file={file} />
      <div className="actions">
        <DownloadButton file={file} />
        <LinkButton makeLink={() => api.signFile(file.file_id, A_DAY_SECONDS)} lead={texts.files.linkLead} />
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
      {shown && <Picture key={shown.kind} fileId={file.file_id} filename={filename} mrc={shown} mode0={mode0} />}
      {file.mdoc && <MdocTable file={{ ...file, mdoc: file.mdoc }} />}
      {shown && <Voxels file={file} />}
      {file.mrc && <MrcTable mrc={file.mrc} />}
      {file.tiff && <TiffTable tiff={file.tiff} />}
      <h3>{texts.files.checksums}</h3>
      {sha256 && <Checksum label={texts.files.sha256} value={sha256} />}
      {sha256 && <Checksum label={texts.files.sumLine} value={`${sha256}  ${filename}`} />}
      <Checksum label={texts.files.partsSha256} value={file.parts_sha256} />
      <PropertyTable
        caption={texts.files.facts}
        rows={[
          [texts.files.size, `${formatBytes(size)} (${formatCount(size)} bytes)`],
          ...(file.compressed === undefined
            ? []
            : [[texts.files.stored, texts.files.compressedTo(file.compressed.size)] as const]),
          ...(file.dataset_id === undefined
            ? []
            : [[texts.files.dataset, <DatasetLink key="dataset" id={file.dataset_id} />] as const]),
          [texts.files.uploaded, formatTime(file.created_at)],
          [texts.files.parts, texts.files.partsOf(file.part_count, file.part_size)],
          [texts.files.type, file.content_type],
          [texts.files.id, file.file_id],
          ...(file.location === undefined ? [] : [[texts.files.location, file.location] as const]),
        ]}
      />
      {metadata.length > 0 && <PropertyTable caption={texts.files.metadata} rows={metadata} />}
    </article>
  );
}
