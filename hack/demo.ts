/**
 * `npm run demo`: the operator with three sequencers, from the first block to an upgrade and a killed leader, in a
 * minute and on any machine, because all but the operator is simulated. `-- --real` is a real Kubernetes cluster.
 */
import { parseArgs } from "node:util";

const usage = `usage: npm run demo [-- OPTIONS]

Without options: the real operator on a simulated Kubernetes cluster. Needs nothing but npm.

  --speed N       how many times as fast as in reality it runs (4)
  --seed N        another course of events (2)
  --picture FILE  draw it into an SVG file instead

  --real          on a real cluster: kind where Docker and kind are there, else one that is built from Go modules
  --members N     with --real: 3 (the default), 5 or 7
  --down          stop the real demo and remove its cluster
`;

const options = {
  speed: { type: "string", default: "4" },
  seed: { type: "string", default: "2" },
  picture: { type: "string" },
  real: { type: "boolean", default: false },
  members: { type: "string" },
  down: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  // Each loads its own half alone, which is why the first picture is there at once.
  if (values.real || values.down) {
    const { real, remove } = await import("./demo/real.ts");
    return values.down ? remove() : real(membersOf(values.members ?? "3"));
  }
  if (values.members !== undefined) throw new Error("--members goes with --real: the simulation has three");
  const [speed, seed] = [Number(values.speed), Number(values.seed)];
  if (!(speed > 0)) throw new Error(`--speed ${values.speed}, expected a number above 0`);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed}, expected a whole number`);
  const { drawPicture, simulation } = await import("./demo/simulation.ts");
  return values.picture === undefined
    ? simulation({ speed, seed })
    : drawPicture({ speed, seed }, values.picture);
}

function membersOf(text: string): number {
  if (!["3", "5", "7"].includes(text)) throw new Error(`--members ${text}, expected 3, 5 or 7`);
  return Number(text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
