import { type Session, withSession } from "./session.ts";
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
  /** The signal stops it. */
  run(signal: AbortSignal, options: Readonly<Record<string, number>>): Promise<Report>;
}

type Definition<K extends string, On> = Pick<Campaign, "name" | "about"> & {
  readonly options: Readonly<Record<K, NumberOption>>;
  run(on: On, options: Readonly<Record<K, number>>): Promise<Report>;
};

/** Ties the options that a campaign declares to those that its `run` is given. It works on a cluster with an operator. */
export function campaign<K extends string>(definition: Definition<K, Session>): Campaign {
  return {
    ...definition,
    run: async (signal, options) => withSession(signal, async (session) => definition.run(session, options)),
  };
}

/** The same for one that provides for itself what it works on. */
export const campaignOfItsOwn = <K extends string>(definition: Definition<K, AbortSignal>): Campaign =>
  definition;
