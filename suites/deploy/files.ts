/** The files of deploy/ that the tests here read, and what they declare. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const DOCKERFILE = join(ROOT, 'deploy/Dockerfile');
export const COMPOSE = join(ROOT, 'deploy/compose.yaml');
/** With the template of the Secret. */
export const MANIFESTS = globSync(['deploy/kubernetes/*.yaml', 'deploy/kubernetes/*.yaml.example'], { cwd: ROOT })
  .sort()
  .map((path) => join(ROOT, path));

export interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly restart: string;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has fields of its own, which kubernetes-validate checks.
  readonly [field: string]: any;
}

export function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** The services of compose.yaml by name. Values of `.env` are not filled in. */
export function readServices(): Readonly<Record<string, Service>> {
  return (parse(read(COMPOSE), { merge: true }) as { services: Record<string, Service> }).services;
}

export function serviceOf(name: string): Service {
  const service = readServices()[name];
  if (!service) throw new Error(`compose.yaml has no service ${name}`);
  return service;
}

/** `${NAME}`, `${NAME:?message}` as Compose fills them in. @throws Error for one without a value. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, name: string) => {
    const value = values[name];
    if (!value) throw new Error(`${name} has no value`);
    return value;
  });
}

export function readManifests(): Manifest[] {
  return MANIFESTS.flatMap((path) => parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest));
}

export function manifestOf(kind: string, name = 'cryolift'): Manifest {
  const found = readManifests().find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
