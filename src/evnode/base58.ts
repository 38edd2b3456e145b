const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Base58 with the Bitcoin alphabet, as libp2p writes peer ids. */
export function encodeBase58(bytes: Uint8Array): string {
  let rest = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let digits = "";
  while (rest > 0n) {
    digits = alphabet.charAt(Number(rest % 58n)) + digits;
    rest /= 58n;
  }

  const firstNonZero = bytes.findIndex((byte) => byte !== 0);
  const leadingZeros = firstNonZero === -1 ? bytes.length : firstNonZero;
  return alphabet.charAt(0).repeat(leadingZeros) + digits;
}
