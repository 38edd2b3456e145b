/** Amounts as Kubernetes writes them: `500m`, `1.5`, `10Gi`. Signs and exponents are not used by this project. */
export const QUANTITY_PATTERN = "^[0-9]{1,12}([.][0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$";

const NANO_DIGITS = 9;

const suffixFactor: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 10n ** 3n,
  M: 10n ** 6n,
  G: 10n ** 9n,
  T: 10n ** 12n,
  P: 10n ** 15n,
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
};

/** The amount in billionths, which is exact for every accepted text; undefined when the text is not an amount. */
export function parseQuantity(text: string): bigint | undefined {
  if (!new RegExp(QUANTITY_PATTERN).test(text)) return undefined;
  const [, whole = "", fraction = "", suffix = ""] = /^([0-9]+)(?:[.]([0-9]+))?([A-Za-z]*)$/.exec(text) ?? [];
  const nanos = BigInt(whole + fraction.padEnd(NANO_DIGITS, "0"));
  const factor = suffixFactor[suffix];
  return factor === undefined ? nanos / 1000n : nanos * factor;
}
