import { expect, it } from "vitest";
import {
  mebibytes,
  memoryOfProcess,
  readMemory,
  readProcessorMs,
  readWorkingSet,
} from "../../hack/measure/process-memory.ts";

it("memory is read from the status of a process", () => {
  const status =
    "Name:\tnode\nVmPeak:\t  900 kB\nVmRSS:\t   2048 kB\nRssAnon:\t    1024 kB\nRssFile:\t 1024 kB\n";
  expect(readMemory(status)).toEqual({ residentBytes: 2_097_152, anonymousBytes: 1_048_576 });
});

it("a status without the field is an error, not zero", () => {
  expect(() => readMemory("Name:\tnode\n")).toThrow("the process status has no VmRSS");
});

it.runIf(process.platform === "linux")(
  "the memory of this process is more than a megabyte of its own",
  async () => {
    const { residentBytes, anonymousBytes } = await memoryOfProcess(process.pid);
    expect(anonymousBytes).toBeGreaterThan(2 ** 20);
    expect(residentBytes).toBeGreaterThanOrEqual(anonymousBytes);
  },
);

const metrics = [
  "# TYPE container_memory_working_set_bytes gauge",
  'container_memory_working_set_bytes{container="agent",namespace="demo",pod="seq-0"} 3.5835904e+07 1795386314109',
  'container_memory_working_set_bytes{container="agent",namespace="other",pod="seq-0"} 1e+06 1795386314109',
].join("\n");

it("the working set is that of the container that was asked for", () => {
  const agent = { namespace: "demo", pod: "seq-0", container: "agent" };
  expect(readWorkingSet(metrics, agent)).toBe(35_835_904);
  expect(readWorkingSet(metrics, { ...agent, container: "evnode" })).toBeUndefined();
});

it.each([
  [35_835_904, "34 MiB"],
  [undefined, "-"],
])("%s bytes are %s", (bytes, text) => {
  expect(mebibytes(bytes)).toBe(text);
});

it("processor time is read behind a program name of any form", () => {
  const fields = ["S", ...Array.from({ length: 10 }, () => "1"), "250", "50", "0"];
  expect(readProcessorMs(`42 (a) b (c) ${fields.join(" ")}`)).toBe(3_000);
});
