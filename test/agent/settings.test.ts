import { expect, test } from "vitest";
import { podPaths, readSettings } from "../../src/agent/settings.ts";
import { paths } from "../../src/resources/paths.ts";

const env = {
  POD_NAME: "my-chain-12",
  POD_NAMESPACE: "rollups",
  POD_UID: "1b4e28ba",
  EPOCH: "3",
  MAX_BLOCKS_BEHIND: "30",
};

test("a complete environment gives the settings, the ordinal from the pod's name", () => {
  expect(readSettings(env)).toEqual({
    kind: "valid",
    settings: {
      member: "my-chain-12",
      ordinal: 12,
      namespace: "rollups",
      podUid: "1b4e28ba",
      epoch: 3,
      maxBlocksBehind: 30,
      execution: undefined,
      afterOutage: "Level",
    },
  });
});

test.each([
  ["Start", { settings: { afterOutage: "Start" } }],
  ["Guess", { problems: ["AFTER_OUTAGE is neither Start nor absent"] }],
])("what members do after an outage may be told: %s", (AFTER_OUTAGE, reading) => {
  expect(readSettings({ ...env, AFTER_OUTAGE })).toMatchObject(reading);
});

test("the two ports of an execution client come together", () => {
  expect(readSettings({ ...env, ETH_PORT: "8545", ENGINE_PORT: "8551" })).toMatchObject({
    settings: { execution: { eth: 8_545, engine: 8_551 } },
  });
  expect(readSettings({ ...env, ENGINE_PORT: "8551" })).toEqual({
    kind: "invalid",
    problems: ["ETH_PORT and ENGINE_PORT come together, or not at all"],
  });
  expect(readSettings({ ...env, ETH_PORT: "x", ENGINE_PORT: "8551" })).toEqual({
    kind: "invalid",
    problems: ["ETH_PORT is not a port"],
  });
});

test("every problem is named at once", () => {
  expect(readSettings({ POD_NAME: "chain", POD_NAMESPACE: "", EPOCH: "0", MAX_BLOCKS_BEHIND: "-1" })).toEqual(
    {
      kind: "invalid",
      problems: [
        "POD_NAME is not the name of a StatefulSet's pod",
        "POD_NAMESPACE is empty",
        "POD_UID is missing",
        "EPOCH is not a whole number from 1 on",
        "MAX_BLOCKS_BEHIND is not a whole number",
      ],
    },
  );
});

test("agent and pod template agree where everything is mounted", () => {
  expect(podPaths).toEqual({
    home: paths.home,
    config: paths.config,
    configSecret: paths.configSecret,
    identitySecret: paths.identitySecret,
    annotations: `${paths.podInfo}/annotations`,
  });
});
