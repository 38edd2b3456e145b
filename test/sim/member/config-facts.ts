import { type MemberFacts, memberFacts } from "../../../src/agent/member-facts.ts";
import { parseConfig } from "../../../src/evnode/config.ts";

const known = new Map<string, MemberFacts | undefined>();

/** What the text of a config says of its member; undefined where it is no config. Members share few texts. */
export function factsOf(text: string): MemberFacts | undefined {
  if (!known.has(text)) known.set(text, read(text));
  return known.get(text);
}

function read(text: string): MemberFacts | undefined {
  const reading = parseConfig(text);
  return reading.kind === "parsed" ? memberFacts(reading.value) : undefined;
}
