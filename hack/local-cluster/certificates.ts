import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { network, nodeName, paths } from "./layout.ts";

/** Users of the API server. Each process has its own, so that the audit log tells them apart. */
export const users = {
  admin: { name: "local-admin", groups: ["system:masters"] },
  "controller-manager": { name: "system:kube-controller-manager", groups: [] },
  scheduler: { name: "system:kube-scheduler", groups: [] },
  kubelet: { name: `system:node:${nodeName}`, groups: ["system:nodes"] },
  proxy: { name: "system:kube-proxy", groups: [] },
  coredns: { name: "local-cluster:coredns", groups: [] },
  provisioner: { name: "local-cluster:provisioner", groups: [] },
} as const satisfies Record<string, { name: string; groups: readonly string[] }>;

export type User = keyof typeof users;

export const certificateFiles = {
  ca: join(paths.certificates, "ca.crt"),
  caKey: join(paths.certificates, "ca.key"),
  server: join(paths.certificates, "apiserver.crt"),
  serverKey: join(paths.certificates, "apiserver.key"),
  kubeletClient: join(paths.certificates, "kubelet-client.crt"),
  kubeletClientKey: join(paths.certificates, "kubelet-client.key"),
  serviceAccountKey: join(paths.certificates, "service-account.key"),
  tokens: join(paths.certificates, "tokens.csv"),
} as const;

const serverNames = [
  "DNS:kubernetes",
  "DNS:kubernetes.default",
  "DNS:kubernetes.default.svc",
  "DNS:kubernetes.default.svc.cluster.local",
  "DNS:localhost",
  "IP:127.0.0.1",
  `IP:${network.nodeAddress}`,
  // The first address of the service range is the Service kubernetes.default.
  `IP:${network.serviceRange.replace(/0\/\d+$/, "1")}`,
];

/** Makes the cluster's own authority, its certificates, keys and tokens once; later starts keep them. */
export async function provideCertificates(): Promise<void> {
  await mkdir(paths.certificates, { recursive: true, mode: 0o700 });
  const files = certificateFiles;
  if (!existsSync(files.ca)) {
    await issue("/CN=evnode-local-cluster", files.ca, files.caKey, [
      "basicConstraints=critical,CA:TRUE",
      "keyUsage=critical,keyCertSign,digitalSignature",
    ]);
  }
  if (!existsSync(files.server)) {
    await issueLeaf("/CN=kube-apiserver", files.server, files.serverKey, [
      "extendedKeyUsage=serverAuth",
      `subjectAltName=${serverNames.join(",")}`,
    ]);
  }
  if (!existsSync(files.kubeletClient)) {
    // The kubelet asks the API server whether this user may read logs and run commands.
    await issueLeaf("/O=system:masters/CN=kube-apiserver", files.kubeletClient, files.kubeletClientKey, [
      "extendedKeyUsage=clientAuth",
    ]);
  }
  if (!existsSync(files.serviceAccountKey)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeSecret(
      files.serviceAccountKey,
      privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    );
  }
  if (!existsSync(files.tokens)) await writeSecret(files.tokens, newTokens());
}

export async function tokenOf(user: User): Promise<string> {
  const lines = (await readFile(certificateFiles.tokens, "utf8")).split("\n");
  const token = lines.map((line) => line.split(",")).find((fields) => fields[1] === users[user].name)?.[0];
  if (token === undefined) throw new Error(`${certificateFiles.tokens} has no token for ${users[user].name}`);
  return token;
}

function newTokens(): string {
  const lines = Object.entries(users).map(([key, { name, groups }]) => {
    const quoted = groups.length > 0 ? `,"${groups.join(",")}"` : "";
    return `${randomBytes(24).toString("hex")},${name},${key}${quoted}`;
  });
  return `${lines.join("\n")}\n`;
}

async function issueLeaf(
  subject: string,
  certificate: string,
  key: string,
  extensions: string[],
): Promise<void> {
  const authority = ["-CA", certificateFiles.ca, "-CAkey", certificateFiles.caKey];
  await issue(subject, certificate, key, ["basicConstraints=critical,CA:FALSE", ...extensions], authority);
}

async function issue(
  subject: string,
  certificate: string,
  key: string,
  extensions: readonly string[],
  authority: readonly string[] = [],
): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const output = ["-keyout", key, "-out", certificate, "-days", "3650", "-subj", subject];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  // Without a config of our own openssl would add the extensions of the system's one a second time.
  const config = join(paths.certificates, "openssl.cnf");
  await writeFile(config, "[req]\ndistinguished_name = subject\n[subject]\n");
  await command("openssl", ["req", "-x509", "-config", config, ...curve, ...output, ...added, ...authority]);
}

async function writeSecret(file: string, content: string): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
}
