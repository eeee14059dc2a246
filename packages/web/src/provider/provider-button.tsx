/** The button that signs in at the identity provider. */
import { useId } from 'react';
import { useCell } from '../cell.ts';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { hostOf } from './provider-config.ts';

/** @param again somebody was signed in before. */
export function ProviderButton({ again = false }: { again?: boolean }) {
  const { provider, accounts } = useServices();
  const known = useCell(provider.known);
  const failure = useCell(provider.failure);
  const isLeaving = useCell(provider.isLeaving);
  // Renders again when there is work, and when there is none any more.
  useCell(accounts.uploads);
  const id = useId();
  if (!known) return null;
  const host = hostOf(known.config);
  const words = texts.provider;
  return (
    <div className="provider">
      <div className="provider-way">
        <button
          type="button"
          className="primary"
          disabled={isLeaving}
          aria-describedby={id}
          onClick={() => void provider.start(accounts.hasWork)}
        >
          {again ? words.again : words.signIn}
        </button>
        <span id={id} className="faint">
          {isLeaving ? words.leaving(host) : accounts.hasWork ? words.inWindow(host) : words.at(host)}
        </span>
      </div>
      <p className="refusal" role="alert">
        {failure}
      </p>
    </div>
  );
}
