/** A real cluster that the demo runs on. */
export interface DemoCluster {
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  /** Whether the address of a Service can be reached from this machine. */
  readonly hasReachableServices: boolean;
  /** Builds the operator's image from this checkout and loads it. Answers its tag. */
  readonly provideOperatorImage: () => Promise<string>;
}
