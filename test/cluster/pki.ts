// Certificates and kubeconfigs of the test cluster's parts, each signed by a CA of its own, made once by openssl.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN, run } from "./machine.ts";

export const NODE = "node1";
/** The node's address, on a bridge of its own. */
export const NODE_IP = "10.88.255.1";
export const SERVER = `https://${NODE_IP}:6443`;
/** The first address of the services' range is the API server's. */
export const SERVICES = "10.96.0.0/16";
const API_SERVICE = "10.96.0.1";

export const pki = (file: string): string => join(RUN, "pki", file);
export const kubeconfig = (user: string): string => join(RUN, `${user}.kubeconfig`);

const SERVER_NAMES = [
  ...["127.0.0.1", NODE_IP, API_SERVICE].map((address) => `IP:${address}`),
  ...["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map((name) => `DNS:${name}`),
];
/** Who there is: the subject says what Kubernetes lets it do. */
const USERS: Record<string, { subject: string; names?: string[] }> = {
  admin: { subject: "/O=system:masters/CN=admin" },
  "controller-manager": { subject: "/CN=system:kube-controller-manager" },
  scheduler: { subject: "/CN=system:kube-scheduler" },
  proxy: { subject: "/CN=system:kube-proxy" },
  kubelet: { subject: `/O=system:nodes/CN=system:node:${NODE}`, names: [`IP:${NODE_IP}`, `DNS:${NODE}`] },
};

/** Makes what is missing. */
export function makePki(): void {
  if (existsSync(pki("done"))) return;
  mkdirSync(join(RUN, "pki"), { recursive: true });
  openssl(
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=segnas-test"],
    ["-keyout", pki("ca.key"), "-out", pki("ca.crt")],
  );
  certificate("apiserver", "/CN=kube-apiserver", SERVER_NAMES);
  for (const [user, { subject, names }] of Object.entries(USERS)) {
    certificate(user, subject, names);
    writeFileSync(kubeconfig(user), JSON.stringify(configOf(user), undefined, 2), { mode: 0o600 });
  }
  openssl(["genrsa", "-out", pki("sa.key"), "2048"]);
  openssl(["rsa", "-in", pki("sa.key"), "-pubout", "-out", pki("sa.pub")]);
  writeFileSync(pki("done"), "");
}

const openssl = (...args: string[][]): string => run("openssl", args.flat());

function certificate(name: string, subject: string, names: string[] = []): void {
  const [key, request, extensions] = [pki(`${name}.key`), pki(`${name}.csr`), pki(`${name}.ext`)];
  const alternative = names.length > 0 ? `subjectAltName=${names.join(",")}\n` : "";
  writeFileSync(extensions, `extendedKeyUsage=serverAuth,clientAuth\n${alternative}`);
  openssl(["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", subject]);
  openssl(
    ["x509", "-req", "-in", request, "-days", "3650", "-out", pki(`${name}.crt`), "-extfile", extensions],
    ["-CA", pki("ca.crt"), "-CAkey", pki("ca.key"), "-CAcreateserial"],
  );
}

function configOf(user: string) {
  const data = (file: string) => readFileSync(pki(file)).toString("base64");
  const [cluster, context] = ["segnas-test", "segnas-test"];
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server: SERVER, "certificate-authority-data": data("ca.crt") } }],
    users: [
      {
        name: user,
        user: { "client-certificate-data": data(`${user}.crt`), "client-key-data": data(`${user}.key`) },
      },
    ],
    contexts: [{ name: context, context: { cluster, user } }],
    "current-context": context,
  };
}
