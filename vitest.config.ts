import { defineConfig } from "vitest/config";

/** Both parts of the end-to-end suite run on one cluster, which the first of them that has a file sets up. */
const onCluster = {
  globalSetup: ["test/e2e/harness/global-setup.ts"],
  testTimeout: 600_000,
  hookTimeout: 1_200_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          testTimeout: 180_000,
        },
      },
      {
        test: {
          ...onCluster,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["test/e2e/alone/**", "test/e2e/after/**"],
          // A file mostly waits: three at once fill two cores.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...onCluster,
          name: "e2e-alone",
          include: ["test/e2e/alone/*.test.ts"],
          fileParallelism: false,
          // Of the tests of one file that may run beside each other: the measurements.
          maxConcurrency: 4,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // Looks back on what all others did.
        test: {
          ...onCluster,
          name: "e2e-after",
          include: ["test/e2e/after/*.test.ts"],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
