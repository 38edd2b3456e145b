/**
 * What becomes of a container, by the tag of its image: nearly all do well. The registry knows some of them not, and
 * some are good for nothing.
 */
export type ImageFate = "good" | "missing" | "foreign" | "crashing" | "lagging";

const fates: readonly ImageFate[] = ["missing", "foreign", "crashing", "lagging"];

/** For example `missing` for `example.org/testapp:missing-2`. */
export function fateOf(image: string): ImageFate {
  const tag = image.slice(image.lastIndexOf(":") + 1);
  return fates.find((fate) => tag.startsWith(fate)) ?? "good";
}

/** The last words of a process that ends as soon as it starts. */
export const lastWords = {
  foreign: { code: 255, message: "exec /usr/bin/testapp: exec format error\n" },
  crashing: { code: 1, message: "Usage:\n  testapp start [flags]\n\nunknown flag: --evnode.raft.enable\n" },
} as const;

/** What kubelet says while it cannot get an image: first why, and then that it waits before it tries again. */
export function pullRefusal(image: string, isFirst: boolean) {
  const why = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
  if (isFirst) return { reason: "ErrImagePull", message: why };
  return { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ErrImagePull: ${why}` };
}
