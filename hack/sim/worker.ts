/** One process of a campaign: runs the seeds that it is sent, one after another. */
import { type Question, reportOn } from "./report.ts";

process.on("message", (question: Question) => {
  reportOn(question).then(
    (report) => process.send?.(report),
    // The parent tells which seed it was.
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
