import { chmod, mkdir, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiAnswer, type ApiClient, connect } from "./api-client.ts";
import { say } from "./progress.ts";
import {
  type Claim,
  decideVolumes,
  renderVolume,
  storageClassName,
  type Volume,
  type VolumeAction,
  volumeFolder,
} from "./volumes.ts";

const CLAIMS = "/api/v1/persistentvolumeclaims";
const VOLUMES = "/api/v1/persistentvolumes";
const MERGE_PATCH = "application/merge-patch+json";

/** Also the resync interval: a lost watch event delays a volume by no more than this. */
const WATCH_SECONDS = 30;
const RETRY_MS = 1_000;
/** Events come in bunches; one pass serves a bunch. */
const GATHER_MS = 100;

/** Makes and removes `local` volumes until the process is stopped. Nothing is remembered between two passes. */
export async function runProvisioner(): Promise<never> {
  const api = await connect("provisioner");
  const changed = { since: true };
  const onChange = () => {
    changed.since = true;
  };
  const [never] = await Promise.all([
    passes(api, changed),
    follow(api, CLAIMS, onChange),
    follow(api, VOLUMES, onChange),
  ]);
  return never;
}

/** One pass after another, each for all changes since the last one began. */
async function passes(api: ApiClient, changed: { since: boolean }): Promise<never> {
  for (;;) {
    await sleep(GATHER_MS);
    if (!changed.since) continue;
    changed.since = false;
    try {
      await pass(api);
    } catch (error) {
      say(`pass failed, again in ${RETRY_MS} ms: ${String(error)}`);
      changed.since = true;
      await sleep(RETRY_MS);
    }
  }
}

/** Every event means no more than "look again"; the end of a watch means it too. */
async function follow(api: ApiClient, path: string, onChange: () => void): Promise<never> {
  for (;;) {
    await api.watch(path, onChange, WATCH_SECONDS).catch(() => sleep(RETRY_MS));
    onChange();
  }
}

async function pass(api: ApiClient): Promise<void> {
  const [claims, volumes] = await Promise.all([list<Claim>(api, CLAIMS), list<Volume>(api, VOLUMES)]);
  for (const action of decideVolumes(claims, volumes)) await perform(api, action);
}

async function perform(api: ApiClient, action: VolumeAction): Promise<void> {
  const { name } = action;
  switch (action.kind) {
    case "create": {
      await mkdir(volumeFolder(name), { recursive: true });
      // Also pods without fsGroup write here, under whatever uid they run; mkdir would apply the umask.
      await chmod(volumeFolder(name), 0o777);
      return expect(await api.send("POST", VOLUMES, renderVolume(action.claim, name)), [201, 409], action);
    }
    case "grow": {
      const { namespace, name: claim } = action.claim.metadata;
      const capacity = { storage: action.storage };
      const status = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}/status`;
      expect(
        await api.send("PATCH", `${VOLUMES}/${name}`, { spec: { capacity } }, MERGE_PATCH),
        [200],
        action,
      );
      return expect(
        await api.send("PATCH", status, { status: { capacity } }, MERGE_PATCH),
        [200, 404],
        action,
      );
    }
    case "remove": {
      await rm(volumeFolder(name), { recursive: true, force: true });
      return expect(await api.send("DELETE", `${VOLUMES}/${name}`), [200, 404], action);
    }
  }
}

function expect(answer: ApiAnswer, statuses: readonly number[], action: VolumeAction): void {
  const done = statuses.includes(answer.status);
  say(`${action.kind} ${action.name}: status ${answer.status}`);
  if (!done)
    throw new Error(`${action.kind} ${action.name} was answered with ${answer.status}: ${answer.text}`);
}

async function list<T>(api: ApiClient, path: string): Promise<readonly T[]> {
  const answer = await api.send("GET", path);
  if (answer.status !== 200) throw new Error(`list of ${path} was answered with status ${answer.status}`);
  return (JSON.parse(answer.text) as { items: T[] }).items;
}

/** Makes the class the default one, and gives provisioner and DNS the rights that no built-in role holds. */
export function storageAndRoles(provisioner: string): readonly object[] {
  const role = (name: string, user: string, rules: readonly object[]) => [
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    },
  ];
  const read = ["get", "list", "watch"];
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: storageClassName,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner,
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
      allowVolumeExpansion: true,
    },
    ...role("local-cluster:provisioner", "local-cluster:provisioner", [
      { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: read },
      { apiGroups: [""], resources: ["persistentvolumeclaims/status"], verbs: ["patch"] },
      { apiGroups: [""], resources: ["persistentvolumes"], verbs: [...read, "create", "patch", "delete"] },
    ]),
    ...role("local-cluster:coredns", "local-cluster:coredns", [
      { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: read },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
    ]),
  ];
}
