import { expect, test } from "vitest";
import { type Answer, addressInHosts, newResolve } from "../../src/agent/resolve.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

function scripted(answers: readonly (Answer | undefined)[]) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const resolve = newResolve(clock, async (host) => {
    asked.push(host);
    return answers[asked.length - 1];
  });
  return { clock, asked, resolve };
}

const first = { address: "10.0.0.1", lifetimeMs: 5_000 };
const second = { address: "10.0.0.2", lifetimeMs: 5_000 };

test("an answer is kept for its lifetime, and asked anew after it", async () => {
  const { clock, asked, resolve } = scripted([first, second]);
  expect(await resolve("chain-1")).toBe("10.0.0.1");
  await clock.advance(4_999);
  expect(await resolve("chain-1")).toBe("10.0.0.1");
  expect(asked).toEqual(["chain-1"]);
  await clock.advance(1);
  expect(await resolve("chain-1")).toBe("10.0.0.2");
});

test("an address that leads nowhere is asked anew at once", async () => {
  const { resolve } = scripted([first, second]);
  await resolve("chain-1");
  resolve.forget("chain-1");
  expect(await resolve("chain-1")).toBe("10.0.0.2");
});

test("a name without an address is asked again the next time", async () => {
  const { resolve } = scripted([undefined, first]);
  expect(await resolve("chain-1")).toBeUndefined();
  expect(await resolve("chain-1")).toBe("10.0.0.1");
});

test.each(["10.0.0.9", "fd00::1"])("the address %s is its own answer", async (address) => {
  const { asked, resolve } = scripted([]);
  expect(await resolve(address)).toBe(address);
  expect(asked).toEqual([]);
});

const hosts = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost
10.1.2.3\tchain-0.chain.tests.svc.cluster.local\tchain-0
10.9.9.9 commented.out # chain-1
`;

test.each([
  ["chain-0.chain.tests.svc.cluster.local", "10.1.2.3"],
  ["chain-0", "10.1.2.3"],
  ["localhost", "127.0.0.1"],
  ["chain-1", undefined],
  ["10.1.2.3", undefined],
])("in a pod's hosts file %s has the address %s", (host, address) => {
  expect(addressInHosts(hosts, host)).toBe(address);
});
