import { expect, it } from "vitest";
import type { z } from "zod";
import type { Kubectl } from "../../../hack/demo/kubectl.ts";
import { look } from "../../../hack/demo/scene.ts";

it("a member whose agent cannot be reached is shown as the cluster's status tells it", async () => {
  const members = [{ name: "c-0", role: "Leader", height: 7 }];
  const ready = [{ type: "Ready", status: "True" }];
  const answers = [
    { spec: { replicas: 1 }, status: { phase: "Running", quorum: "Healthy", members } },
    { items: [{ metadata: { name: "c-0" }, status: { phase: "Running", conditions: ready } }] },
  ];
  const kubectl: Kubectl = {
    program: "kubectl",
    run: async () => "",
    json: async <T>(schema: z.ZodType<T>, args: readonly string[]) =>
      schema.parse(answers[args[1] === "pods" ? 1 : 0]),
  };
  const scene = await look(kubectl, "demo", "c");
  expect(scene.members).toEqual([{ name: "c-0", role: "leader", height: 7, ready: true, doing: "in sync" }]);
});
