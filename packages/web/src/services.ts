/** The composition root of the page. */
import { XhrTransport } from '@cryolift/client/browser';
import { createContext, useContext } from 'react';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { WatchedTransport } from './live/watched-transport.ts';
import { identify } from './signing-in/subject.ts';
import { TokenKeeper } from './signing-in/token-keeper.ts';

/** Services that do not depend on the account. */
export type Services = ReturnType<typeof createServices>;

export function createServices() {
  const transport = new WatchedTransport(new XhrTransport(location.origin));
  const keeper = new TokenKeeper((token) => identify(transport, token));
  const accounts = new Accounts(keeper, transport);
  keeper.start();
  return { transport, keeper, accounts };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  return useContext(ServicesContext) as Services;
}

const AccountContext = createContext<Account | null>(null);
export const AccountProvider = AccountContext.Provider;

/** The current account. Only for components that are rendered while somebody is signed in. */
export function useAccount(): Account {
  return useContext(AccountContext) as Account;
}
