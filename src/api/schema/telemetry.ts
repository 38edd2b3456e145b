import * as z from "zod";
import { field, matches } from "./field.ts";
import { choice, integer, portNumber, share, toggle } from "./scalars.ts";

// Without credentials, which whoever reads the spec would read as well.
const OTLP_ENDPOINT = "^(https?://)?([-.A-Za-z0-9_]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?(/[!-~]*)?$";

export const metrics = field(
  z.object({
    port: portNumber("TCP port of ev-node's Prometheus metrics on every member.").exactOptional(),
    maxConnections: integer(
      1,
      1_000,
      "How many scrapes are answered at once; further ones get 503. ev-node's default is 3.",
    ).exactOptional(),
    namespace: field(z.string().min(1).max(64), "First part of the metrics' names, in place of evnode.", {
      rules: [
        matches(
          "^[a-zA-Z_][a-zA-Z0-9_]*$",
          "A namespace of metrics consists of letters, digits and `_`, and does not begin with a digit.",
        ),
      ],
    }).exactOptional(),
  }),
  "ev-node's metrics.",
);

export const tracing = field(
  z.object({
    endpoint: field(
      z.string().min(1).max(1024),
      "Where traces are sent: an OTLP receiver over HTTP, as host:port or as a URL, such as otel-collector.monitoring:4318.",
      {
        rules: [
          matches(
            OTLP_ENDPOINT,
            "The endpoint must be host:port or an http or https URL, without spaces and credentials.",
          ),
        ],
      },
    ),
    serviceName: field(
      z.string().min(1).max(128),
      "The service's name in the traces. ev-node's default is ev-node.",
      {
        rules: [
          matches("^[!-~]+$", "A service's name consists of printable ASCII characters without spaces."),
        ],
      },
    ).exactOptional(),
    sampleRate: share("Which share of the traces is kept. ev-node's default is 0.1.").exactOptional(),
  }),
  "Traces in the format of OpenTelemetry. Without it none are made.",
);

export const pprof = toggle(
  "Profiles of ev-node's process.",
  "Whether ev-node serves Go's profiles, on port 6060 of the pod's own loopback interface: for kubectl port-forward alone. Off is ev-node's default.",
);

export const log = field(
  z.object({
    level: choice(["debug", "info", "warn", "error"], "Least severe lines to log.").exactOptional(),
    format: choice(["json", "text"], "Format of the lines.").exactOptional(),
    trace: field(
      z.boolean(),
      "Whether errors are logged with a stack trace. ev-node's default is false.",
    ).exactOptional(),
  }),
  "What ev-node logs.",
);
