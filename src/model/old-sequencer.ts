/** What a look at the RPC of a sequencer outside the cluster came to. */
export type OldSequencerLook =
  | { readonly kind: "notYet" }
  | {
      readonly kind: "told";
      readonly block: ToldBlock;
      readonly chain: ToldChain;
      /** At the heights that it was asked for, as far as it told: without a hash where it has no block. */
      readonly asked?: readonly ToldBlock[];
    }
  /** Something listens there and gives no answer of a sequencer: that it is gone is not said. `what` is in words. */
  | { readonly kind: "listens"; readonly what: string }
  /** Nobody listens, or nothing comes back. No proof that the process has ended. */
  | { readonly kind: "silent"; readonly why: string };

export interface ToldBlock {
  readonly height: number;
  /** In hex; absent where it was not told of this height. */
  readonly hash?: string;
}

export interface ToldChain {
  readonly chainId: string;
  /** In base64, as the genesis has it; absent where it was not told. */
  readonly proposer?: string;
}

/** A sequencer outside the cluster, as this process of the operator saw it so far. */
export interface OldSequencer {
  readonly last: OldSequencerLook;
  /** From the first look of which each one since found silence, to the last one; 0 when the last one did not. */
  readonly silentMs: number;
  /** What it told last, also when it tells no more. */
  readonly chain: ToldChain | undefined;
  /** The highest block of that chain that it told. */
  readonly highest: ToldBlock | undefined;
  /** What it told of single heights: without a hash where it had no block the last time. */
  readonly asked: readonly ToldBlock[];
  /** For how long the last blocks of the members were seen to be the same. */
  readonly membersStillMs: number;
}
