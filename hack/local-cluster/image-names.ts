/** Images that `up` builds and loads. Both tags of the test node behave alike but have different content. */
export const pauseImage = "evnode.dev/pause:1";
export const localDaImage = "evnode.dev/local-da:1";
export const testnodeImages = ["evnode.dev/testnode:1", "evnode.dev/testnode:2"] as const;
