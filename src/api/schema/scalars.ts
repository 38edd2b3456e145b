import * as z from "zod";
import { DURATION_PATTERN, parseDuration } from "../../model/duration.ts";
import { celString, field, matches, type Rule } from "./field.ts";

const DNS_SUBDOMAIN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const DATA_KEY = "^[-._a-zA-Z0-9]+$";

/** Longest text of a duration; it keeps `duration()` in CEL clear of overflow. */
const DURATION_LENGTH = 16;

/** The name of another object, such as a Secret or a storage class. */
export function objectName(description: string) {
  return field(z.string().min(1).max(253), description, {
    rules: [
      matches(
        DNS_SUBDOMAIN,
        "This must be the name of a Kubernetes object: lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit.",
      ),
    ],
  });
}

/** The image of a container. */
export function imageName(description: string) {
  return field(z.string().min(1).max(512), description, {
    rules: [matches("^[!-~]+$", "An image is named without spaces, such as ghcr.io/example/mychain:v1.2.3.")],
  });
}

/** One entry of a Secret or a ConfigMap in the cluster's namespace. */
export function keyReference(holder: "Secret" | "ConfigMap", description: string) {
  return field(
    z.object({
      name: objectName(`Name of the ${holder}, in the namespace of the cluster.`),
      key: field(z.string().min(1).max(253), `Key in the ${holder}'s data.`, {
        rules: [matches(DATA_KEY, "A key consists of letters, digits, `-`, `_` and `.`.")],
      }),
    }),
    description,
  );
}

/** A TCP port that an unprivileged process may open. */
export function portNumber(description: string) {
  return field(z.int32().min(1024).max(65_535), description, { keywords: { format: "int32" } });
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number, description: string) {
  return field(z.int32().min(min).max(max), description, { keywords: { format: "int32" } });
}

/** A part of a whole, from 0 to 1. */
export function share(description: string) {
  return field(z.number().min(0).max(1), description);
}

/** A text of a closed set of values. */
export function choice<const T extends readonly string[]>(values: T, description: string) {
  return field(z.enum(values), description);
}

/** A duration from `min` to `max`, both included and written in the same syntax. */
export function durationBetween(min: string, max: string, description: string) {
  return field(z.string().max(DURATION_LENGTH), description, { rules: [durationRule(min, max)] });
}

function durationRule(min: string, max: string): Rule<string> {
  const minMs = parseDuration(min) ?? Number.NaN;
  const maxMs = parseDuration(max) ?? Number.NaN;
  const isDuration = `self.matches(${celString(DURATION_PATTERN)})`;
  return {
    cel: `${isDuration} && duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
    message: `This must be a duration from ${min} to ${max}, in whole numbers of h, m, s and ms, such as 500ms, 1s or 1m30s.`,
    holds: (text) => {
      const valueMs = parseDuration(text);
      return valueMs !== undefined && valueMs >= minMs && valueMs <= maxMs;
    },
  };
}

/** A section with the one switch `enabled`. */
export function toggle(description: string, enabled: string) {
  return field(z.object({ enabled: field(z.boolean(), enabled).exactOptional() }), description);
}
