declare const EVNODE_OPERATOR_VERSION: string | undefined;

/** Filled in when the program is bundled. */
export const VERSION = typeof EVNODE_OPERATOR_VERSION === "string" ? EVNODE_OPERATOR_VERSION : "0.0.0-dev";
