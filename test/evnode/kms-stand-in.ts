import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { proposerAddressOf, publicKeyOf } from "../../src/evnode/keys.ts";

/** Speaks what ev-node asks of AWS KMS: the public key, and a signature for each block. */
export interface KmsStandIn {
  readonly port: number;
  readonly proposerAddress: string;
  /** How many signatures it gave. */
  readonly signatures: () => number;
  close(): void;
}

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

export async function startKms(keyArn: string, port: number): Promise<KmsStandIn> {
  const seed = Buffer.alloc(32, 7);
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).toString("base64");
  let signatures = 0;
  const answers: Readonly<Record<string, (request: { readonly Message?: string }) => object>> = {
    "TrentService.GetPublicKey": () => ({ KeyId: keyArn, PublicKey: publicKey, KeyUsage: "SIGN_VERIFY" }),
    "TrentService.Sign": ({ Message = "" }) => {
      signatures += 1;
      const signature = sign(null, Buffer.from(Message, "base64"), key).toString("base64");
      return { KeyId: keyArn, Signature: signature, SigningAlgorithm: "ED25519_SHA_512" };
    },
  };
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = answers[String(request.headers["x-amz-target"])];
    const body = (await json(request)) as { readonly Message?: string };
    response.writeHead(answer ? 200 : 400, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(answer ? answer(body) : {}));
  };
  const server = createServer((request, response) => {
    void reply(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  const proposerAddress = proposerAddressOf(publicKeyOf(seed));
  return { port, proposerAddress, signatures: () => signatures, close };
}
