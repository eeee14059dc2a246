/** Reads the keys of one table of a settings file. Faults are collected, so that all of them are reported at once. */
import type { posix } from 'node:path';
import { CONTROL_CHARACTERS } from '@cryolift/protocol/filename';
import { UsageError } from '../process/exit.ts';
import type { Fault, Path, Toml } from './toml.ts';

/** @param system the rules for paths of the operating system. */
export interface Document {
  readonly toml: Toml;
  readonly faults: Fault[];
  readonly system: typeof posix;
}

export class TableReader {
  readonly #document: Document;
  readonly #path: Path;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #asked: string[] = [];

  constructor(document: Document, path: Path, values: Readonly<Record<string, unknown>>) {
    this.#document = document;
    this.#path = path;
    this.#values = values;
  }

  has(key: string): boolean {
    return key in this.#values;
  }

  lineOf(key: string): number {
    return this.#document.toml.lineOf([...this.#path, key]);
  }

  fault(key: string, message: string): void {
    this.#document.faults.push({ line: this.lineOf(key), message });
  }

  /** @param parse throws UsageError for a value that is not allowed. */
  text<Value>(key: string, example: string, parse: (text: string) => Value): Value | undefined {
    return this.#read(key, (value) => {
      if (typeof value !== 'string') throw wrongType(value, `a text in quotes like ${example}`);
      return parse(value);
    });
  }

  /** A complete path: a service has no folder from which others could begin. */
  path(key: string): string | undefined {
    const { system } = this.#document;
    const example = system.sep === '\\' ? "'D:\\data\\session'" : '"/data/session"';
    return this.text(key, example, (text) => {
      if (CONTROL_CHARACTERS.test(text)) {
        throw new UsageError('has a control character: write Windows paths in single quotes, like ' + "'D:\\temp'");
      }
      // `\data` of Windows is on a drive that depends on the folder in which the command runs.
      if (!system.isAbsolute(text) || (system.sep === '\\' && system.parse(text).root.length === 1)) {
        throw new UsageError(`${JSON.stringify(text)} is not a complete path like ${example}`);
      }
      return system.resolve(text);
    });
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, (value) => {
      if (typeof value !== 'boolean') throw wrongType(value, 'true or false');
      return value;
    });
  }

  count(key: string, most: number): number | undefined {
    return this.#read(key, (value) => {
      if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > most) {
        throw wrongType(value, `a whole number from 1 to ${most}`);
      }
      return Number(value);
    });
  }

  texts(key: string, example: string): string[] | undefined {
    return this.#read(key, (value) => {
      const isList = Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string');
      if (!isList) throw wrongType(value, `a list of texts like ${example}`);
      return value;
    });
  }

  pairs(key: string): Record<string, string> | undefined {
    return this.#read(key, (value) => {
      const entries = isTable(value) ? Object.entries(value) : [];
      if (entries.length === 0) throw wrongType(value, 'a table of texts like { microscope = "krios-1" }');
      const wrong = entries.find(([, each]) => typeof each !== 'string');
      if (wrong) throw new UsageError(`${wrong[0]}: ${wrongType(wrong[1], 'a text in quotes').message}`);
      return Object.fromEntries(entries) as Record<string, string>;
    });
  }

  /** A list of tables, `[[key]]`; empty when there is none, which is a fault. */
  tables(key: string): TableReader[] {
    const tables = this.#read(key, (value) => {
      const isList = Array.isArray(value) && value.length > 0 && value.every((each) => isTable(each));
      if (!isList) throw new UsageError(`write it as [[${key}]]`);
      return value as Record<string, unknown>[];
    });
    if (!this.has(key)) this.fault(key, `a [[${key}]] table is missing`);
    return (tables ?? []).map((values, at) => new TableReader(this.#document, [...this.#path, key, at], values));
  }

  /** Reports keys that were not asked for. @param elsewhere says where a key belongs that is allowed in another table. */
  end(where: string, elsewhere: (key: string) => string | null): void {
    for (const key of Object.keys(this.#values)) {
      if (this.#asked.includes(key)) continue;
      const known = elsewhere(key);
      this.fault(key, known ?? `${key} is not a setting; ${where} has ${this.#asked.join(', ')}`);
    }
  }

  #read<Value>(key: string, read: (value: unknown) => Value): Value | undefined {
    this.#asked.push(key);
    const value = this.#values[key];
    if (value === undefined) return undefined;
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.fault(key, `${key}: ${error.message}`);
      return undefined;
    }
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function wrongType(value: unknown, expected: string): UsageError {
  const shown = value instanceof Date ? 'a date' : JSON.stringify(value);
  return new UsageError(`needs ${expected}, not ${shown}`);
}
