import type { Command } from "./command.ts";
import { approve } from "./commands/approve.ts";
import { completion } from "./commands/completion.ts";
import { diagnose } from "./commands/diagnose.ts";
import { drill } from "./commands/drill.ts";
import { identityBackup } from "./commands/identity-backup.ts";
import { identityRestore } from "./commands/identity-restore.ts";
import { plan } from "./commands/plan.ts";
import { resize } from "./commands/resize.ts";
import { restart } from "./commands/restart.ts";
import { status } from "./commands/status.ts";
import { resume, suspend } from "./commands/suspend.ts";
import { version } from "./commands/version.ts";
import { why } from "./commands/why.ts";

/** In the order in which the help names them. */
export const commands: readonly Command[] = [
  status,
  why,
  plan,
  approve,
  restart,
  drill,
  resize,
  suspend,
  resume,
  diagnose,
  identityBackup,
  identityRestore,
  completion,
  version,
];
