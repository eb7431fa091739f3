// The project's two images, built by buildah and imported into the node's containerd.
// No registry is asked for a base: both are put together here from Debian's packages (and this repository's Node).
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { CONTAINERD, HOME, REPOSITORY, run, step, succeeds, TAG } from "./machine.ts";

/** The images' names in a cluster of tests. */
export const IMAGES = {
  operator: `localhost/segnas/operator:${TAG}`,
  trainer: `localhost/segnas/trainer:${TAG}`,
};
const PAUSE = "localhost/pause:1";
const BASES = { BUILDER: "localhost/segnas/builder:1", BASE: "localhost/segnas/base:1" };

/** What gcr.io/distroless/cc-debian12 holds, from Debian itself. */
const BASE_PACKAGES = ["base-files", "libc6", "libgcc-s1", "libstdc++6", "netbase", "tzdata"];
const BUILDER_PACKAGES = ["ca-certificates", "g++", "python3", "python3-pip"];
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

const folder = (name: string): string => join(HOME, "images", name);

const STORE = ["--storage-driver", "overlay", "--root", folder("store"), "--runroot", folder("run")];
function buildah(...args: string[]): string {
  return run("buildah", [...STORE, ...args], { env: { BUILDAH_ISOLATION: "chroot" } });
}
const built = (tag: string): boolean => succeeds("buildah", [...STORE, "inspect", "--type", "image", tag]);

/** Builds a folder with a Dockerfile. Returns the image's id. */
function build(tag: string, context: string, ...args: string[]): string {
  return buildah("build", "--quiet", "--layers", "--tag", tag, ...args, context).trim();
}

/** Writes an image as an archive, which containerd and kind take. */
function archive(tag: string): string {
  const file = `${folder("archive")}-${process.pid}.tar`;
  // An OCI archive would be compressed, which takes longest of all.
  buildah("push", "--quiet", tag, `docker-archive:${file}:${tag}`);
  return file;
}

const ctr = (...args: string[]): string => run("ctr", ["-a", CONTAINERD, "-n", "k8s.io", ...args]);

/** Brings an image to the node. */
function load(tag: string): void {
  const file = archive(tag);
  ctr("images", "import", file);
  rmSync(file);
}

/** Builds an image in a folder of its own that `fill` fills, with a Dockerfile for one. */
function buildFrom(tag: string, fill: (context: string) => void): void {
  mkdirSync(folder(""), { recursive: true });
  const context = mkdtempSync(folder("context-"));
  try {
    fill(context);
    build(tag, context);
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** The image that holds a pod's namespaces: it waits. */
export function importPause(): void {
  if (ctr("images", "ls", "-q").includes(PAUSE)) return;
  if (!built(PAUSE))
    buildFrom(PAUSE, (context) => {
      const program = `#include <signal.h>
#include <unistd.h>
static void leave(int s) { _exit(0); }
int main(void) { signal(SIGTERM, leave); signal(SIGINT, leave); for (;;) pause(); }
`;
      run("gcc", ["-static", "-Os", "-x", "c", "-o", join(context, "pause"), "-"], { input: program });
      writeFileSync(join(context, "Dockerfile"), 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n');
    });
  load(PAUSE);
}

/** Puts a program of build.ts, at /manager, into an image on the node. Returns the image's name. */
export function importProgram(path: string): string {
  const name = basename(path);
  const tag = `localhost/segnas-test/${name}:1`;
  if (ctr("images", "ls", "-q").includes(tag)) return tag;
  buildFrom(tag, (context) => {
    cpSync(path, join(context, "manager"));
    writeFileSync(
      join(context, "Dockerfile"),
      // All of them know SIGINT, not all SIGTERM.
      'FROM scratch\nCOPY manager /manager\nUSER 65532:65532\nSTOPSIGNAL SIGINT\nENTRYPOINT ["/manager"]\n',
    );
  });
  load(tag);
  return tag;
}

/** The base that images run on: no shell, no package manager. */
function fillBase(context: string): void {
  const [packages, root] = [join(context, "packages"), join(context, "root")];
  mkdirSync(packages);
  run("apt-get", ["download", ...BASE_PACKAGES], { cwd: packages });
  for (const file of readdirSync(packages)) run("dpkg-deb", ["-x", join(packages, file), root]);
  for (const unread of ["doc", "man", "locale", "bug", "lintian"])
    rmSync(join(root, "usr", "share", unread), { recursive: true, force: true });
  writeFileSync(
    join(root, "etc", "passwd"),
    "root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/tmp:/sbin/nologin\n",
  );
  writeFileSync(join(root, "etc", "group"), "root:x:0:\nnonroot:x:65532:\n");
  writeFileSync(
    join(context, "Dockerfile"),
    "FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n",
  );
}

/** What images are built on: a compiler, Python with pip, Node and npm, and the certificates this machine trusts. */
function fillBuilder(context: string): void {
  const root = join(context, "root");
  const mirror = /^URIs:? *(\S+)/m.exec(readFileSync("/etc/apt/sources.list.d/debian.sources", "utf8"))![1]!;
  run("debootstrap", [
    "--variant=minbase",
    `--include=${BUILDER_PACKAGES.join(",")}`,
    "bookworm",
    root,
    mirror,
  ]);
  rmSync(join(root, "var", "cache", "apt"), { recursive: true, force: true });
  const local = join(root, "usr", "local");
  cpSync(realpathSync(process.execPath), join(local, "bin", "node"));
  const npm = dirname(dirname(realpathSync(run("sh", ["-c", "command -v npm"]).trim())));
  cpSync(npm, join(local, "lib", "npm"), { recursive: true });
  writeFileSync(join(local, "bin", "npm"), '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n', {
    mode: 0o755,
  });
  cpSync(CERTIFICATES, join(root, CERTIFICATES));
  const trust = ["NODE_EXTRA_CA_CERTS", "PIP_CERT"].map((name) => `${name}=${CERTIFICATES}`).join(" ");
  writeFileSync(join(context, "Dockerfile"), `FROM scratch\nCOPY root /\nENV ${trust}\n`);
}

interface Image {
  tag: string;
  id: string;
}

/** Where images go. */
export interface Target {
  /** Whether it has this very image already. */
  holds?(image: Image): boolean;
  load(archive: string, image: Image): unknown;
}

/** Builds both images and loads those that have changed. `flavour` is TensorFlow's: cpu or cuda. */
export async function images(target: Target, flavour = "cpu"): Promise<void> {
  for (const [base, what, fill] of [
    [BASES.BASE, "the base of images", fillBase],
    [BASES.BUILDER, "the base of image builds", fillBuilder],
  ] as const)
    if (!built(base)) await step(what, () => buildFrom(base, fill));
  const bases = Object.entries(BASES).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  for (const [room, tag] of Object.entries(IMAGES))
    await step(`image ${tag}`, async () => {
      const flags = ["--file", join(REPOSITORY, room, "Dockerfile"), "--build-arg", `TENSORFLOW=${flavour}`];
      const image = { tag, id: build(tag, REPOSITORY, ...bases, ...flags) };
      if (target.holds?.(image)) return;
      const file = archive(tag);
      await target.load(file, image);
      rmSync(file);
    });
}

const ID_LABEL = "segnas.dev/id";

/** The node's own containerd, where a label says which image was loaded. */
export const nodeImages: Target = {
  holds: ({ tag, id }) => ctr("images", "ls", `name==${tag}`).includes(`${ID_LABEL}=${id}`),
  load(archive, { tag, id }) {
    ctr("images", "import", archive);
    ctr("images", "label", tag, `${ID_LABEL}=${id}`);
  },
};
