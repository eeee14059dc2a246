/** The button that makes a link with which anybody can download the file without a token. */
import { useMutation } from '@tanstack/react-query';
import { Failure } from '../failure.tsx';
import { formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';

const A_DAY_SECONDS = 24 * 3600;

export function LinkButton({ fileId }: { fileId: string }) {
  const { api } = useAccount();
  const sign = useMutation({
    mutationFn: async () => {
      const { url, expires_at } = await api.signFile(fileId, A_DAY_SECONDS);
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
          {texts.files.linkLead(formatTime(sign.data.expires_at))}
          <code>{sign.data.url}</code>
        </p>
      )}
    </>
  );
}
