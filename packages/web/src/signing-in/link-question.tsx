/** A link brought a token while somebody else is signed in, or files are under way: who sent it may want the files. */
import { useCell } from '../cell.ts';
import { Confirm } from '../confirm.tsx';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { nameOf } from './subject.ts';
import type { Disturbed } from './token-keeper.ts';

export function LinkQuestion() {
  const { keeper } = useServices();
  const question = useCell(keeper.question);
  if (!question) return null;
  const { subject, disturbed, answer } = question;
  const words = texts.signIn.question;
  const name = nameOf(subject);
  return (
    <Confirm
      heading={words.heading(name)}
      text={`${words.lead(name)} ${describe(disturbed)}`}
      yes={words.yes(name)}
      no={disturbed.kind === 'subject' ? words.stay : words.no}
      onYes={() => answer(true)}
      onNo={() => answer(false)}
    />
  );
}

export function LinkNotice() {
  const { keeper } = useServices();
  const refusal = useCell(keeper.linkRefusal);
  if (refusal === null) return null;
  return (
    <p className="notice notice-warning" role="alert">
      {texts.signIn.linkRefused(refusal)}{' '}
      <button type="button" className="small" onClick={() => keeper.linkRefusal.set(null)}>
        {texts.close}
      </button>
    </p>
  );
}

function describe(disturbed: Disturbed): string {
  const words = texts.signIn.question;
  if (disturbed.kind === 'subject') return words.subject(nameOf(disturbed.subject));
  return disturbed.kind === 'other-tab' ? words.otherTab : words.files;
}
