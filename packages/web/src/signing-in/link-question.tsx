/**
 * A link with a token was opened while another subject is signed in or files wait. The page asks before it signs in: the
 * sender of the link could otherwise receive the files.
 */
import { useCell } from '../cell.ts';
import { Confirm } from '../confirm.tsx';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import type { SignInConflict } from './signed-in.ts';
import { nameOf } from './subject.ts';

export function LinkQuestion() {
  const { keeper } = useServices();
  const question = useCell(keeper.question);
  if (!question) return null;
  const { subject, conflict, answer } = question;
  const words = texts.signIn.question;
  const name = nameOf(subject);
  return (
    <Confirm
      heading={words.heading(name)}
      text={`${words.lead(name)} ${describeConflict(conflict)}`}
      yes={words.yes(name)}
      no={conflict.kind === 'subject' ? words.stay : words.no}
      onYes={() => answer(true)}
      onNo={() => answer(false)}
    />
  );
}

export function LinkNotice() {
  const { keeper } = useServices();
  const refusal = useCell(keeper.refusal);
  if (refusal === null) return null;
  return (
    <p className="notice notice-warning" role="alert">
      {refusal}{' '}
      <button type="button" className="small" onClick={() => keeper.refusal.set(null)}>
        {texts.close}
      </button>
    </p>
  );
}

function describeConflict(conflict: SignInConflict): string {
  const words = texts.signIn.question;
  if (conflict.kind === 'subject') return words.subject(nameOf(conflict.subject));
  return conflict.kind === 'other-tab' ? words.otherTab : words.files;
}
