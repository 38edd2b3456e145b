import { randomBytes } from "node:crypto";

/** The only source of chance, passed as an argument so that tests and simulations can be replayed. */
export interface Random {
  /** A number at least 0 and below 1. */
  next(): number;
  /** `length` bytes fit for keys. */
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
};
