// Sets up everything that a fresh clone needs; what is already there is left alone.
// Plain JavaScript for the Node that the machine has (20 or newer); everything after it runs on the pinned Node.
//
// Steps: npm packages -> TensorFlow out of its wheel -> the addon compiled against it -> the encoder imported
// -> a real training step. Each leaves a stamp that names what it was made from.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = join(root, ".setup");
const FLAVOURS = ["cpu", "cuda"];

/** Ends the set-up with one sentence. */
function stop(sentence) {
  console.error(`set-up: ${sentence}`);
  process.exit(64);
}

function hashOf(...files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** Runs `make` unless the stamp says that it was done from these very inputs. */
function once(stamp, inputs, what, make) {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return;
  console.error(`set-up: ${what} ...`);
  const start = Date.now();
  rmSync(stamp, { force: true });
  make();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, inputs);
  console.error(`set-up: ${what}: done in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Runs a command; where it fails, its output is shown and the set-up ends with `sentence`. */
function run(command, args, sentence, env = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", env: { ...process.env, ...env } });
  if (result.status === 0) return result.stdout;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  return stop(sentence);
}

function works(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function checkMachine() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) stop(`Node ${process.versions.node} is too old to start: install Node 20 or newer.`);
  if (process.platform !== "linux" || process.arch !== "x64")
    stop(
      `TensorFlow's wheel is pinned for Linux on x86-64 alone, and this is ${process.platform} on ${process.arch}: use such a machine or a container.`,
    );
}

/** All that the machine must have is asked for at once, and only where something is to be made. */
function checkTools(folder) {
  if (existsSync(join(folder, "stamp-addon"))) return;
  const missing = [];
  if (!works("python3", ["--version"])) missing.push("Python (python3, 3.8 or newer, with pip)");
  else if (!works("python3", ["-m", "pip", "--version"]))
    missing.push("pip (python3-pip, or python3 -m ensurepip)");
  if (!works("g++", ["--version"])) missing.push("g++ (on Debian and Ubuntu: apt-get install g++)");
  if (missing.length > 0) stop(`install ${missing.join(" and ")}, then run this again.`);
}

/** The flavour asked for, else the one set up last, else cpu. */
function chooseFlavour() {
  const chosen = join(home, "flavour");
  const asked = process.env.SEGNAS_TENSORFLOW;
  if (asked && !FLAVOURS.includes(asked)) stop(`SEGNAS_TENSORFLOW=${asked}: write cpu or cuda.`);
  const flavour = asked || (existsSync(chosen) ? readFileSync(chosen, "utf8").trim() : "cpu");
  return { flavour, remember: () => writeFileSync(chosen, flavour) };
}

function installPackages() {
  const stamp = join(root, "node_modules", ".segnas-lock");
  once(stamp, hashOf("package-lock.json"), "npm packages", () => {
    run(
      "npm",
      ["ci", "--no-audit", "--no-fund"],
      "npm could not install the packages: see its message above.",
    );
  });
}

function installTensorFlow(flavour, folder) {
  const requirements = `setup/tensorflow-${flavour}.txt`;
  once(
    join(folder, "stamp-wheels"),
    hashOf(requirements, "setup/unpack.py"),
    `TensorFlow (${flavour})`,
    () => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(folder, "wheels"), { recursive: true });
      const platforms = ["2_17", "2014", "2_5", "1"].flatMap((v) => [
        "--platform",
        `manylinux${v.includes("_") ? "_" : ""}${v}_x86_64`,
      ]);
      run(
        "python3",
        // biome-ignore format: one option a line would hide the command
        ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", "311", ...platforms,
        "--dest", join(folder, "wheels"), "--requirement", requirements],
        `pip could not fetch the wheels of ${requirements} with the hashes written there: see its message above.`,
      );
      run(
        "python3",
        ["setup/unpack.py", join(folder, "wheels"), folder],
        "the wheels could not be unpacked: is the disk full?",
      );
      rmSync(join(folder, "wheels"), { recursive: true });
    },
  );
}

/** The addon of tfjs-node is plain Node-API: compiled against the wheel's headers and libraries. */
function compileAddon(folder) {
  const packaged = "node_modules/@tensorflow/tfjs-node-gpu";
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => `${packaged}/binding/${file}`);
  const additions = "setup/addon.h";
  const inputs = hashOf(...sources, additions) + readFileSync(join(folder, "stamp-wheels"), "utf8");
  once(join(folder, "stamp-addon"), inputs, "TensorFlow's addon for Node", () => {
    run(
      "g++",
      // biome-ignore format: a command line reads as one
      ["-std=c++17", "-O2", "-w", "-shared", "-fPIC", "-include", additions, ...sources, `-I${folder}/tensorflow/include`,
        "-Inode_modules/node-api-headers/include", "-DNAPI_VERSION=8", `-L${folder}/tensorflow`,
        "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2",
        "-Wl,-rpath,$ORIGIN/tensorflow", "-o", `${folder}/tfjs_binding.node`],
      "g++ could not compile TensorFlow's addon: see its message above.",
    );
    rmSync(join(folder, "stamp-proof"), { force: true });
  });
  // The package looks for its addon in one place; the link says which flavour it finds.
  const link = join(root, packaged, "lib", "napi-v8", "tfjs_binding.node");
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  symlinkSync(relative(dirname(link), join(folder, "tfjs_binding.node")), link);
}

function importEncoder(node) {
  const inputs = hashOf("package-lock.json", "trainer/model/encoder.ts");
  once(join(home, "stamp-encoder"), inputs, "the encoder's pretrained weights", () => {
    const target = join(home, "encoder.safetensors");
    run(
      node,
      ["cli/main.ts", "encoder", "import", "nsfwjs", "--output", target],
      "the encoder could not be imported.",
    );
  });
}

function proveTraining(node, folder, flavour) {
  const inputs = hashOf("setup/prove.ts") + readFileSync(join(folder, "stamp-addon"), "utf8");
  once(join(folder, "stamp-proof"), inputs, "a training step on TensorFlow", () => {
    const failed = `TensorFlow (${flavour}) cannot train on this machine: see its message above.`;
    process.stderr.write(run(node, ["setup/prove.ts"], failed));
  });
}

checkMachine();
mkdirSync(home, { recursive: true });
const { flavour, remember } = chooseFlavour();
const folder = join(home, "tensorflow", flavour);
const node = join(root, "node_modules", ".bin", "node");
checkTools(folder);
// In an image's build everything else comes later, so that a change of it fetches no wheel again.
if (process.argv[2] === "--wheels") {
  installTensorFlow(flavour, folder);
  process.exit(0);
}
installPackages();
installTensorFlow(flavour, folder);
compileAddon(folder);
remember();
// In an image's build the sources come later, and there may be no GPU to prove anything on.
if (process.argv[2] === "--tensorflow") process.exit(0);
proveTraining(node, folder, flavour);
importEncoder(node);
