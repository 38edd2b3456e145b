import * as z from "zod";
import { field, matches, type Rule } from "./field.ts";
import { peerAddress } from "./network.ts";
import { choice } from "./scalars.ts";

/** Scheme, host and port, and nothing behind them: the paths are ev-node's. */
const RPC_ADDRESS = "^https?://([-.A-Za-z0-9]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?$";

export const migration = field(
  z.object({
    peer: peerAddress(
      "P2P multiaddress of the old sequencer, from which the members get the chain before they start. Nobody dials it afterwards.",
    ),
    rpcAddress: field(
      z.string().min(1).max(512),
      "URL of the old sequencer's RPC, as the operator reaches it. It tells the chain, its proposer and its last block, and whether the old sequencer is still there.",
      {
        rules: [
          matches(
            RPC_ADDRESS,
            "The address must be a URL of scheme, host and port, without a path or credentials, such as http://sequencer.example.com:7331.",
          ),
        ],
      },
    ),
    oldSequencer: choice(
      ["Running", "Stopped"],
      "The owner's word on the old sequencer. Running: the members follow it and make no blocks. Stopped: its process has ended and will never be started again, so that the members may go on with the chain, once the operator has found nothing that speaks against it.",
    ).exactOptional(),
    copies: choice(
      ["Refuse", "Accept"],
      "What is done with a member's volume that holds a node's blocks before the cluster has begun, and nothing that says whose they are. Refuse, when absent: the member does not start on it. Accept: it is a copy of the old sequencer's data, and the member follows from there, once the old sequencer has told the same block as the last one of the copy.",
    ).exactOptional(),
  }),
  "A sequencer outside the cluster whose chain goes on here. Has an effect only until the members have started for the first time; afterwards the old sequencer is watched for as long as this is set.",
);

interface Origin {
  migration?: object;
  chain: { genesis?: object };
  app?: { kind?: string };
}

/** The genesis itself asks for the signer that it names. */
export const migrationWithOrigin: Rule<Origin> = {
  cel: "!has(self.migration) || has(self.chain.genesis)",
  message:
    "spec.migration goes on with a chain that has begun, so spec.chain.genesis must name its genesis, and spec.signer the key of its proposer.",
  holds: ({ migration: given, chain }) => given === undefined || chain.genesis !== undefined,
};

export const migrationWithoutExecution: Rule<Origin> = {
  cel: "!has(self.migration) || !has(self.app) || !has(self.app.kind) || self.app.kind != 'evm'",
  message: "spec.migration does not support an EVM chain yet.",
  holds: ({ migration: given, app }) => given === undefined || app?.kind !== "evm",
};
