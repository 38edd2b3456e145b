/** Where members' blocks part, as the operator found by asking each of them for single blocks. */
export type Parting =
  /**
   * They were asked and hold different blocks at this height. It is the first such height, unless `open` says why a
   * lower one may be.
   */
  | {
      readonly kind: "asked";
      readonly height: number;
      readonly blocks: readonly HeldBlock[];
      readonly open?: string;
    }
  /** They could not be asked, and why. */
  | { readonly kind: "notAsked"; readonly why: string };

/** What a member holds there, or held when it told last. `hash` in hex. */
export interface HeldBlock {
  readonly member: string;
  readonly hash: string;
}
