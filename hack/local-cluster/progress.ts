/** Says what is being done, on stderr, so that stdout stays for answers. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

const REPORT_EVERY_MS = 15_000;

/** Announces a long step, shows every 15 seconds that it still runs, and says how long it took. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  say(`${name} …`);
  const ticker = setInterval(() => say(`${name} … ${seconds()} s`), REPORT_EVERY_MS);
  try {
    const result = await work();
    say(`${name}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(ticker);
  }
}
