import type { MemberTexts } from "./check-config.ts";

/** Keeps ev-node in the way in which it may run. */
export interface Keeper {
  /** Decides how ev-node starts. */
  begin(): Promise<void>;
  /** To be called several times a second. */
  tend(): Promise<void>;
  /** From now on ev-node has these texts. A process that runs goes on with what it read. */
  use(texts: MemberTexts): Promise<void>;
  /** Ends the process of ev-node; one that was asked to end a moment ago is not asked again. */
  restart(): Promise<void>;
}
