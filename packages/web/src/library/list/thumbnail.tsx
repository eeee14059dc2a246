/** The small picture of a file. It is read when it comes onto the screen, a few at a time. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Icon } from '../../icons.tsx';
import { shownHeader } from '../../mrc/shown-header.ts';
import { slowQuery } from '../../mrc/slow-query.ts';
import { useAccount } from '../../services.ts';
import { Turns } from '../../turns.ts';

/** The server stores pictures of this size with the statistics. */
const SIZE_PX = 256;
/** The server lets an owner wait for eight pictures. */
const turns = new Turns(4);

export function Thumbnail({ file }: { file: FileRecord }) {
  const { api } = useAccount();
  const { file_id: fileId, metadata } = file;
  const request = useQuery({
    queryKey: ['thumbnail', fileId, metadata.kind, metadata.mode0],
    queryFn: ({ signal }) =>
      turns.take(signal, async () => {
        const png = await api.preview({ fileId }, { size: SIZE_PX }, { signal });
        return new Blob([png], { type: 'image/png' });
      }),
    enabled: shownHeader(file) !== null,
    ...slowQuery,
  });
  const url = useObjectUrl(request.data);
  return (
    <span className="thumbnail" data-state={request.status}>
      {url === null ? <Icon name="file" /> : <img src={url} alt="" />}
    </span>
  );
}

function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const created = URL.createObjectURL(blob);
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [blob]);
  return url;
}
