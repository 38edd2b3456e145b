import * as z from "zod";

/** Bytes in standard base64 with padding, as Go writes them; anything that does not read back the same is refused. */
export function base64Bytes(length?: number): z.ZodType<Buffer, string> {
  return z.string().transform((text, context) => {
    const bytes = Buffer.from(text, "base64");
    if (bytes.toString("base64") === text && (length === undefined || bytes.length === length)) return bytes;

    const expected = length === undefined ? "base64" : `${length} bytes in base64`;
    context.addIssue({ code: "custom", message: `expected ${expected}` });
    return z.NEVER;
  });
}
