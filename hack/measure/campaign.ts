import { type Session, type Undoing, withSession, withUndoing } from "./session.ts";
import type { Table } from "./table.ts";

/** A number that a campaign can be given, with its value in the long and in the short form. */
export interface NumberOption {
  readonly full: number;
  readonly short: number;
  readonly about: string;
}

/** What a campaign found out. */
export interface Report {
  readonly tables: readonly Table[];
  /** Sentences that belong to the figures, such as what was not measured. */
  readonly notes: readonly string[];
  /** Expectations that did not hold; any of them makes the command fail. */
  readonly failures: readonly string[];
  /** Every single value, for `--output`. */
  readonly values: unknown;
  /** An SVG, for `--picture`. */
  readonly picture?: string;
}

export interface Campaign {
  readonly name: string;
  readonly about: string;
  readonly options: Readonly<Record<string, NumberOption>>;
  /** `signal` ends it; what it made is undone then, too. */
  run(signal: AbortSignal, options: Readonly<Record<string, number>>): Promise<Report>;
}

interface CampaignOf<K extends string, S> {
  readonly name: string;
  readonly about: string;
  readonly options: Readonly<Record<K, NumberOption>>;
  run(session: S, options: Readonly<Record<K, number>>): Promise<Report>;
}

/** Ties the options that a campaign declares to those that its `run` is given, and runs it on a cluster. */
export function campaign<K extends string>(definition: CampaignOf<K, Session>): Campaign {
  return {
    ...definition,
    run: (signal, options) => withSession(signal, (session) => definition.run(session, options)),
  };
}

/** The same of one that needs no cluster. */
export function campaignOfProcesses<K extends string>(definition: CampaignOf<K, Undoing>): Campaign {
  return {
    ...definition,
    run: (signal, options) => withUndoing(signal, (undoing) => definition.run(undoing, options)),
  };
}
