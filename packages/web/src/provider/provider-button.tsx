/** The button that signs in at the identity provider. */
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
          onClick={() => void provider.start(accounts.isBusy)}
        >
          {again ? words.again : words.signIn}
        </button>
        <span className="faint">
          {isLeaving ? words.leaving(host) : accounts.isBusy ? words.inWindow(host) : words.at(host)}
        </span>
      </div>
      <p className="refusal" role="alert">
        {failure}
      </p>
    </div>
  );
}
