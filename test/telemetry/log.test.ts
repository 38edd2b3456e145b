import { expect, test } from "vitest";
import { type Logger, newLogger } from "../../src/telemetry/log.ts";

const KEY = "c2VjcmV0";
const secret = {
  kind: "Secret",
  metadata: { name: "seq-identity" },
  data: { passphrase: KEY },
  stringData: { "signer.json": KEY },
};

/** The lines that something logs, parsed. */
function logged(act: (log: Logger) => void, level = "info"): Record<string, unknown>[] {
  const lines: string[] = [];
  act(newLogger(level, { write: (line) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.each<[string, unknown]>([
  ["alone", secret],
  ["in a field", { object: secret }],
  ["in an action", { action: { kind: "create", object: secret } }],
  ["in a list", { objects: [secret] }],
  ["in a list of actions", { done: [{ object: secret }] }],
  ["in an error", { err: Object.assign(new Error("refused"), { object: secret }) }],
  ["as it is read", { signer: { signerJson: KEY, passphrase: KEY } }],
])("what a Secret holds reaches no line: %s", (_, fields) => {
  const [line] = logged((log) => log.info(fields, "create"));
  expect(line).toMatchObject({ msg: "create" });
  expect(JSON.stringify(line)).not.toContain(KEY);
});

test("everything else of it does", () => {
  expect(logged((log) => log.warn({ object: secret }, "create"))).toEqual([
    {
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      object: { kind: "Secret", metadata: { name: "seq-identity" } },
      msg: "create",
    },
  ]);
});

test("an error is told with its message and its place", () => {
  const [line] = logged((log) => log.error({ err: new TypeError("x is undefined") }, "a bug"));
  expect(line).toMatchObject({ level: "error", err: { type: "TypeError", message: "x is undefined" } });
});

test("lines below the level are not written", () => {
  expect(logged((log) => log.info("quiet"), "warn")).toEqual([]);
});
