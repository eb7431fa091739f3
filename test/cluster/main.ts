// A cluster for tests: npm run cluster -- up | down [--purge] | status | images [cpu|cuda] | build NAME ...
//
// It is the one that KUBECONFIG names; else kind, where a Docker engine runs; else a node built from source on this
// machine (Linux, root, Go, Debian's apt-get). There is room for one such node: where another clone's runs, it is used,
// with images of this clone under names of their own, and only that clone takes it down.
import { UserError } from "@segnas/searchspace/errors.ts";
import { kubectlProgram, program } from "./build.ts";
import { IMAGES, images, nodeImages, type Target } from "./images.ts";
import * as kind from "./kind.ts";
import { HOME, isBorrowed, KUBECONFIG, run, STAND_IN } from "./machine.ts";
import * as node from "./node.ts";

const USAGE = "write up, down [--purge], status, images [cpu|cuda] or build NAME ...";

const NODE = "one node on this machine";

/** Where a cluster comes from. `up` on one that is up does nothing. */
interface Source extends Target {
  what: string;
  isUp(): boolean | Promise<boolean>;
  up(): Promise<void>;
  down(purge: boolean): Promise<unknown>;
}

function source(): Source {
  const given = process.env.KUBECONFIG;
  if (given && given !== KUBECONFIG) return yours(given);
  if (kind.dockerRuns()) return { what: "kind", ...kind };
  const own = { what: NODE, ...node, ...nodeImages };
  return isBorrowed
    ? { ...own, down: () => leave(`the node of this machine is another clone's, out of ${HOME}`) }
    : own;
}

function leave(whose: string): never {
  throw new UserError(`${whose}: it is left as it is.`);
}

/** A cluster that somebody else made, and ends. */
function yours(path: string): Source {
  return {
    what: `the cluster of KUBECONFIG=${path}`,
    isUp: () => true,
    up: () => Promise.resolve(),
    down: () => leave(`KUBECONFIG=${path} names a cluster that is not this command's`),
    load: () => {
      throw new UserError(
        `push ${Object.values(IMAGES).join(" and ")} to a registry that the cluster of KUBECONFIG can pull from.`,
      );
    },
  };
}

/** Throws a UserError where not every node of the cluster is ready. */
async function answers(path: string): Promise<void> {
  const ready = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
  const nodes = ["get", "nodes", `--selector=!${STAND_IN}`, "--request-timeout=20s", "-o", ready];
  const states = run(await kubectlProgram(), nodes, { env: { KUBECONFIG: path } });
  if (!/^True( True)*$/.test(states))
    throw new UserError(`the nodes of ${path} are not ready: ${states || "none"}`);
}

const commands: Record<string, (...args: string[]) => Promise<void>> = {
  async up() {
    const cluster = source();
    if (await cluster.isUp()) console.error(`cluster: ${cluster.what}: is up`);
    else await cluster.up();
    const path = process.env.KUBECONFIG || KUBECONFIG;
    await answers(path);
    console.log(`export KUBECONFIG=${path}`);
  },
  async down(flag) {
    if (flag !== undefined && flag !== "--purge") throw new UserError(`down ${flag}: ${USAGE}`);
    await source().down(flag === "--purge");
  },
  async status() {
    const cluster = source();
    const up = await cluster.isUp();
    console.log(`${cluster.what}: ${up ? "up" : "down"} (state in ${HOME})`);
    if (cluster.what === NODE) for (const line of node.parts()) console.log(`  ${line}`);
    if (!up) process.exitCode = 1;
  },
  async images(flavour = "cpu") {
    if (flavour !== "cpu" && flavour !== "cuda") throw new UserError(`images ${flavour}: ${USAGE}`);
    const cluster = source();
    if (!(await cluster.isUp())) throw new UserError(`${cluster.what} is down: npm run cluster -- up`);
    node.installTools();
    await images(cluster, flavour);
  },
  async build(...names) {
    if (names.length === 0) throw new UserError(`build: ${USAGE}`);
    for (const name of names) console.log(await program(name));
  },
};

const [name = "", ...args] = process.argv.slice(2);
try {
  const command = commands[name];
  if (!command) throw new UserError(`${name || "nothing"}: is not known, ${USAGE}`);
  await command(...args);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
