import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import type { MemberTexts } from "./check-config.ts";
import type { Disk } from "./disk.ts";
import type { Log } from "./log.ts";

/** What every keeper of ev-node works with. */
export interface KeeperDependencies {
  readonly disk: Disk;
  readonly configFolder: string;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks ev-node to end; true when there was a process. */
  readonly stopNode: () => Promise<boolean>;
}

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
