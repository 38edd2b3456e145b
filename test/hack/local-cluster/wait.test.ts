import { describe, expect, it } from "vitest";
import { command, tryCommand } from "../../../hack/local-cluster/command.ts";
import { ready, waitUntil } from "../../../hack/local-cluster/wait.ts";

describe("waitUntil", () => {
  it("asks again until the answer is ready", async () => {
    const answers = ["not yet", "almost", ready] as const;
    let asked = 0;
    await waitUntil("it", async () => answers[asked++] ?? "too often", { timeoutMs: 60_000, everyMs: 0 });
    expect(asked).toBe(3);
  });

  it("gives up with the last reason", async () => {
    const wait = waitUntil("the node", async () => "no network", { timeoutMs: 0 });
    await expect(wait).rejects.toThrow("the node not ready after 0 ms: no network");
  });

  it("takes an error of the question for a reason to wait", async () => {
    const ask = async () => {
      throw new Error("connection refused");
    };
    await expect(waitUntil("etcd", ask, { timeoutMs: 0 })).rejects.toThrow(
      "etcd not ready after 0 ms: connection refused",
    );
  });
});

describe("command", () => {
  const node = process.execPath;

  it("answers what the program wrote, and gives it its input", async () => {
    expect(await command(node, ["-e", "process.stdin.pipe(process.stdout)"], { input: "abc" })).toBe("abc");
  });

  it("quotes the end of stderr when the program fails", async () => {
    const failing = command(node, ["-e", "console.error('the reason'); process.exit(3)"]);
    await expect(failing).rejects.toThrow(/ended with exit code 3:\nthe reason/);
  });

  it("hands out the exit code on request", async () => {
    expect((await tryCommand(node, ["-e", "process.exit(4)"])).code).toBe(4);
  });

  it("is an error when the program does not exist", async () => {
    await expect(tryCommand("/nonexistent/program", [])).rejects.toThrow(/ENOENT/);
  });

  it("kills a program that takes too long", async () => {
    const hanging = command(node, ["-e", "process.stdin.resume(); setInterval(() => {}, 1000)"], {
      timeoutMs: 100,
    });
    await expect(hanging).rejects.toThrow("it did not end within 100 ms");
  });
});
