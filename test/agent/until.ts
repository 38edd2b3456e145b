import { settle } from "../runtime/virtual-clock.ts";

/** Far more turns of the event loop than any local I/O needs. */
const MAX_TURNS = 1_000_000;

/** Lets files and sockets do their work until something holds. No time passes on a virtual clock meanwhile. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    if (await holds()) return;
    await settle();
  }
  throw new Error(`never came true: ${what}`);
}
