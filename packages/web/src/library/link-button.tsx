/** The button that makes a link with which anybody can download something without a token. */
import type { SignedDownload } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { Failure } from '../failure.tsx';
import { formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { texts } from '../texts.ts';

interface Props {
  makeLink: () => Promise<SignedDownload>;
  /** What is written above the link. */
  lead: (until: string) => string;
}

export function LinkButton({ makeLink, lead }: Props) {
  const sign = useMutation({
    mutationFn: async () => {
      const { url, expires_at } = await makeLink();
      // Without https, or without permission, the user copies the link by hand.
      const isCopied = await (navigator.clipboard?.writeText(url) ?? Promise.reject()).then(
        () => true,
        () => false,
      );
      return { url, expires_at, isCopied };
    },
  });
  return (
    <>
      <button type="button" onClick={() => sign.mutate()} disabled={sign.isPending}>
        <Icon name="link" />
        <span aria-live="polite">{sign.data?.isCopied ? texts.files.linkCopied : texts.files.link}</span>
      </button>
      {sign.isError && (
        <div role="alert">
          <Failure error={sign.error} />
        </div>
      )}
      {sign.data && (
        <p className="link">
          {lead(formatTime(sign.data.expires_at))}
          <code>{sign.data.url}</code>
        </p>
      )}
    </>
  );
}
