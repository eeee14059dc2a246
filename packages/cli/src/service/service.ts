/** A service and what its installation consists of, on any system. */
import type { Machine, Scope } from '../settings/places.ts';

export interface ServiceChoice {
  readonly scope: Scope;
  /** The program with its first arguments, as complete paths. */
  readonly program: readonly string[];
  /** Complete path of the settings file. */
  readonly config: string;
  /** The user of the service of the system on Linux; null: root. */
  readonly runAs: string | null;
  /** Variables of the shell that the service needs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The machine, and who installs. */
export interface Host extends Machine {
  readonly uid: number;
  readonly user: string;
  /** The folder of all state of the service. */
  readonly stateRoot: string;
}

export interface ServiceCommand {
  readonly argv: readonly string[];
  /** Its failure is no failure: there was nothing to do. */
  readonly mayFail?: boolean;
  /** launchd may still be ending the service of before. */
  readonly tries?: number;
}

export interface ServicePlan {
  readonly file: {
    readonly path: string;
    readonly text: string;
    readonly encoding: 'utf8' | 'utf16le';
    readonly mode: number;
  };
  /** In order, after the file is written. */
  readonly install: readonly ServiceCommand[];
  /** Before the file is removed; and after that, where a failure does not matter. */
  readonly uninstall: readonly ServiceCommand[];
  readonly afterwards: readonly ServiceCommand[];
  /** Succeeds when the manager knows the service; null: it does when the file is there. */
  readonly query: ServiceCommand | null;
  /** For the person who installs it. */
  readonly hints: readonly string[];
}

/** The arguments that follow the program. */
export function serviceArguments({ scope, config }: ServiceChoice): string[] {
  return ['watch', ...(scope === 'system' ? ['--system'] : []), '--config', config];
}
