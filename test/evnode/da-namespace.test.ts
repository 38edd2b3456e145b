import { expect, it } from "vitest";
import { namespaceHex } from "../../src/evnode/da-namespace.ts";

// Given by ev-node's own code for da.namespace "my-chain".
it("gives the name on the DA layer that ev-node shows", () => {
  expect(namespaceHex("my-chain")).toBe("0x00000000000000000000000000000000000000f7584331deae85b555e0");
});
