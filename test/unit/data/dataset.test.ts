// Data sets from files: what is read, and the sentence for each mistake, with files made in a temporary folder.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type DatasetSpec, IGNORED, openDataset, parseDataset } from "@segnas/trainer/data/dataset.ts";
import { encode, type ImageData } from "fast-png";
import sharp from "sharp";

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "segnas-data-"));
});
after(() => rm(root, { recursive: true }));

const HEIGHT = 4;
const WIDTH = 6;
type Files = Record<string, Uint8Array | undefined>;

/** An image of one colour, of HEIGHT x WIDTH unless told otherwise. */
const picture = (colour = "#102030", height = HEIGHT, width = WIDTH) =>
  sharp({ create: { width, height, channels: 3, background: colour } });
const png = (data: number[], more: Partial<ImageData> = {}) =>
  encode({ width: WIDTH, height: HEIGHT, channels: 1, depth: 8, data: Uint8Array.from(data), ...more });
const filled = (value: number, length = HEIGHT * WIDTH) => new Array<number>(length).fill(value);

/** Writes a small data set with `changes` laid over it (undefined takes a file away), and gives its path. */
async function make(changes: Files = {}): Promise<string> {
  const image = await picture().png().toBuffer();
  const files: Files = {};
  for (const name of ["f_1", "f_2", "f_3"]) {
    files[`train/images/${name}.png`] = image;
    files[`train/labels/${name}.png`] = png([0, 1, 2, ...filled(1, HEIGHT * WIDTH - 3)]);
  }
  return write({ ...files, ...changes });
}

async function write(files: Files): Promise<string> {
  const path = await mkdtemp(join(root, "set-"));
  for (const [file, bytes] of Object.entries(files)) {
    if (!bytes) continue;
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), bytes);
  }
  return path;
}

const folder = (path: string, more: Partial<DatasetSpec> = {}): DatasetSpec => {
  return { format: "Folder", path, classes: 3, heldOut: "0.4", ...more };
};

/** The sentence with which opening and reading all of the training part fails, the data set's path as PATH. */
async function refusal(spec: DatasetSpec): Promise<string> {
  try {
    const { training } = await openDataset(spec, 1);
    for (const index of training.names.keys()) await training.read(index);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.message.replaceAll(spec.path!, "PATH");
  }
  return assert.fail("nothing was refused");
}

test("a folder opens: parts, names, RGB and class indices", async () => {
  const path = await make({
    "val/images/v.jpg": await picture("#ffffff").jpeg().toBuffer(),
    "val/labels/v.png": png(filled(2)),
  });
  const { training, heldOut, validation, test, classes, classNames } = await openDataset(folder(path), 1);
  assert.deepEqual([training.names, heldOut.names, validation?.names], [["f_1", "f_2"], ["f_3"], ["v"]]);
  assert.equal(test, undefined);
  assert.deepEqual([classes, classNames], [3, ["0", "1", "2"]]);
  const sample = await training.read(1);
  assert.deepEqual([sample.name, sample.height, sample.width], ["f_2", HEIGHT, WIDTH]);
  assert.deepEqual([...sample.image.subarray(0, 6)], [16, 32, 48, 16, 32, 48]);
  assert.deepEqual([...sample.label.subarray(0, 4)], [0, 1, 2, 1]);
  assert.equal((await validation!.read(0)).image[0], 255);
});

test("grey images become RGB and transparency is dropped", async () => {
  const grey = await picture("#808080").toColourspace("b-w").png().toBuffer();
  const clear = await picture("#0a141e").ensureAlpha(0.5).webp({ lossless: true, exact: true }).toBuffer();
  const path = await make({
    "train/images/f_1.png": grey,
    "train/images/f_2.png": undefined,
    "train/images/f_2.webp": clear,
  });
  const { training } = await openDataset(folder(path), 1);
  const pixel = async (index: number) => {
    const { image } = await training.read(index);
    assert.equal(image.length, HEIGHT * WIDTH * 3);
    return [...image.subarray(0, 3)];
  };
  assert.deepEqual(await pixel(0), [128, 128, 128]);
  assert.deepEqual(await pixel(1), [10, 20, 30]);
});

test("palette and packed labels are read as indices, rows from a new byte", async () => {
  const palette = [0, 1, 2].map((i) => [200 - i, i, 50]);
  // Two bits a pixel, six pixels in two bytes: 0 1 2 0, 1 1.
  const row = [0b00011000, 0b01010000];
  const packed = { depth: 2, data: Uint8Array.from([row, row, row, row].flat()) } as const;
  const path = await make({
    "train/labels/f_1.png": png([0, 1, 2, ...filled(0, 21)], { palette }),
    "train/labels/f_2.png": encode({ width: WIDTH, height: HEIGHT, channels: 1, ...packed }),
  });
  const { training } = await openDataset(folder(path), 1);
  assert.deepEqual([...(await training.read(0)).label], [0, 1, 2, ...filled(0, 21)]);
  assert.deepEqual(
    [...(await training.read(1)).label],
    filled(0, 4).flatMap(() => [0, 1, 2, 0, 1, 1]),
  );
});

test("the value of ignoreLabel is void, even where it is below the number of classes", async () => {
  const path = await make();
  const { training } = await openDataset(folder(path, { ignoreLabel: 1 }), 1);
  assert.deepEqual([...(await training.read(0)).label.subarray(0, 4)], [0, IGNORED, 2, IGNORED]);
});

test("the hash follows the bytes of the files, their names and the meaning of labels", async () => {
  const hash = async (changes: Files, more: Partial<DatasetSpec> = {}) =>
    (await openDataset(folder(await make(changes), more), 1)).training.hash();
  const base = await hash({});
  assert.equal(await hash({}), base);
  assert.equal(
    await hash({ "train/labels/f_3.png": png(filled(2)) }),
    base,
    "the held-out part is not in it",
  );
  const others = [
    await hash({ "train/labels/f_1.png": png(filled(2)) }),
    await hash({ "train/images/f_1.png": await picture("#112233").png().toBuffer() }),
    await hash({}, { ignoreLabel: 2 }),
  ];
  assert.equal(new Set([base, ...others]).size, 4);
});

test("a label that is no class is named with its place and what to write", async () => {
  const label =
    "PATH/train/labels/f_1.png: label 11 at row 3, column 5 is not one of the 3 classes (0 to 2); ";
  const path = await make({ "train/labels/f_1.png": png([...filled(0, 23), 11]) });
  assert.equal(await refusal(folder(path)), `${label}if 11 means void, set dataset.ignoreLabel: 11`);
  assert.equal(
    await refusal(folder(path, { ignoreLabel: 12 })),
    `${label}void is 12 (dataset.ignoreLabel): change the file, or set dataset.classes`,
  );
  assert.match(
    await refusal(folder(await make({ "train/labels/f_1.png": png(filled(255)) }))),
    /label 255 at row 0, column 0 .*set dataset\.ignoreLabel: 255$/,
  );
});

const mistakes: [what: string, changes: () => Promise<Files> | Files, sentence: RegExp][] = [
  [
    "an image without label",
    () => ({ "train/labels/f_2.png": undefined }),
    /^PATH\/train\/images\/f_2\.png: has no label; add PATH\/train\/labels\/f_2\.png or remove the image$/,
  ],
  [
    "a label without image",
    () => ({ "train/images/f_2.png": undefined }),
    /^PATH\/train\/labels\/f_2\.png: has no image; add PATH\/train\/images\/f_2\.jpg or remove the label$/,
  ],
  [
    "two images of one name",
    async () => ({ "train/images/f_1.jpeg": await picture().jpeg().toBuffer() }),
    /^PATH\/train\/images\/f_1\.jpeg and PATH\/train\/images\/f_1\.png: have the same name; keep one of them$/,
  ],
  [
    "image bytes that are none",
    () => ({ "train/images/f_1.png": Buffer.from("not an image") }),
    /^PATH\/train\/images\/f_1\.png: is not an image that can be read \(.+\); write it again$/,
  ],
  [
    "an image cut short",
    async () => ({ "train/images/f_1.png": (await picture().png().toBuffer()).subarray(0, 60) }),
    /^PATH\/train\/images\/f_1\.png: is not an image that can be read/,
  ],
  [
    "an empty label file",
    () => ({ "train/labels/f_1.png": new Uint8Array(0) }),
    /^PATH\/train\/labels\/f_1\.png: is not a PNG that can be read \(.+\); write it again$/,
  ],
  [
    "a label whose checksum is wrong",
    () => {
      const bytes = png(filled(1));
      // The last byte of the checksum; the 12 bytes after it end the file.
      bytes[bytes.length - 13]! ^= 1;
      return { "train/labels/f_1.png": bytes };
    },
    /^PATH\/train\/labels\/f_1\.png: is not a PNG that can be read/,
  ],
  [
    "a label in colours",
    async () => ({ "train/labels/f_1.png": await picture().png().toBuffer() }),
    /^PATH\/train\/labels\/f_1\.png: has colours \(3 channels\) instead of class indices; write an 8-bit grey or palette PNG/,
  ],
  [
    "a label of 16 bits",
    () => ({ "train/labels/f_1.png": png([], { depth: 16, data: new Uint16Array(HEIGHT * WIDTH) }) }),
    /^PATH\/train\/labels\/f_1\.png: has 16 bits a pixel; write an 8-bit grey or palette PNG of class indices$/,
  ],
  [
    "sizes that differ",
    async () => ({ "train/images/f_1.png": await picture("red", 5, 6).png().toBuffer() }),
    /f_1\.png: is 4 x 6 \(height x width\) while its image PATH\/train\/images\/f_1\.png is 5 x 6; make them the same size$/,
  ],
  [
    "a split with nothing in it",
    () => ({ "val/images/readme.txt": Buffer.from("x"), "val/labels/readme.txt": Buffer.from("x") }),
    /^dataset\.path: PATH\/val\/images has no images; add \.jpg, \.jpeg, \.png or \.webp files$/,
  ],
  [
    "a split without its labels folder",
    async () => ({ "test/images/a.png": await picture().png().toBuffer() }),
    /^dataset\.path: there is no folder PATH\/test\/labels; add it$/,
  ],
  [
    "a file where a folder belongs",
    () => ({ val: Buffer.from("x") }),
    /^dataset\.path: cannot read the folder PATH\/val \(ENOTDIR\); make it a readable folder$/,
  ],
];
for (const [what, changes, sentence] of mistakes) {
  test(`refused: ${what}`, async () =>
    assert.match(await refusal(folder(await make(await changes()))), sentence));
}

test("refused: no such folder, no train folder, too few images", async () => {
  assert.match(
    await refusal(folder(join(root, "nowhere"))),
    /^dataset\.path: there is no folder PATH; write where the data set is$/,
  );
  assert.match(
    await refusal(folder(await write({ "x.txt": Buffer.from("x") }))),
    /PATH has no folder train; add it/,
  );
  assert.match(await refusal(folder(await make(), { heldOut: "0.1" })), /^dataset\.heldOut: 0\.1 of 3/);
});

/** A CityScapes tree of one city with label values 0 to 23. */
async function cityscapes(changes: Files = {}): Promise<string> {
  const image = await picture().png().toBuffer();
  const label = png(Array.from({ length: 24 }, (_, i) => i));
  const files: Files = {};
  for (const name of [
    "aachen_000000_000019",
    "aachen_000001_000019",
    "ulm_000000_000019",
    "ulm_000001_000019",
  ]) {
    const at = `train/${name.split("_")[0]}/${name}`;
    files[`leftImg8bit/${at}_leftImg8bit.png`] = image;
    files[`gtFine/${at}_gtFine_labelIds.png`] = label;
    files[`gtFine/${at}_gtFine_color.png`] = image;
  }
  return write({ ...files, ...changes });
}

test("CityScapes opens: labelIds become trainIds, each city gives its end", async () => {
  const path = await cityscapes();
  const { training, heldOut, classes, classNames } = await openDataset(
    { format: "CityScapes", path, heldOut: "0.5" },
    1,
  );
  assert.deepEqual([classes, classNames[0], classNames[18]], [19, "road", "bicycle"]);
  assert.deepEqual(training.names, ["aachen_000000_000019", "ulm_000000_000019"]);
  assert.deepEqual(heldOut.names, ["aachen_000001_000019", "ulm_000001_000019"]);
  const V = IGNORED;
  const expected = [V, V, V, V, V, V, V, 0, 1, V, V, 2, 3, 4, V, V, V, 5, V, 6, 7, 8, 9, 10];
  assert.deepEqual([...(await training.read(0)).label], expected);
});

test("CityScapes: a missing label or folder is named", async () => {
  const name = "train/ulm/ulm_000000_000019";
  const lacking = await cityscapes({ [`gtFine/${name}_gtFine_labelIds.png`]: undefined });
  assert.equal(
    await refusal({ format: "CityScapes", path: lacking }),
    `PATH/leftImg8bit/${name}_leftImg8bit.png: has no label; add PATH/gtFine/${name}_gtFine_labelIds.png or remove the image`,
  );
  assert.match(
    await refusal({ format: "CityScapes", path: await make() }),
    /PATH has no folder leftImg8bit\/train/,
  );
});

test("a correct field is taken as it is", () => {
  const fields = { classes: 2, classNames: ["a", "b"], ignoreLabel: 255, heldOut: "0.25" };
  const full: DatasetSpec = { format: "Folder", path: "/d", ...fields };
  assert.deepEqual(parseDataset(full), full);
  const shapes: DatasetSpec = { format: "Shapes", shapes: { images: 10, height: 64, width: 64 } };
  assert.deepEqual(parseDataset(shapes), shapes);
  assert.deepEqual(parseDataset({ format: "CityScapes", path: "/d" }), { format: "CityScapes", path: "/d" });
});

const wrong: [value: unknown, sentence: RegExp][] = [
  [undefined, /^dataset: undefined is not an object, write one with format, path/],
  [{ format: "Voc" }, /^dataset\.format: "Voc" is not known, write one of Folder, CityScapes, Shapes$/],
  [{ format: "Folder", classes: 3 }, /^dataset\.path: is missing, write where the data set is$/],
  [{ format: "Folder", path: "/d" }, /^dataset\.classes: is missing/],
  [{ format: "Folder", path: "/d", classes: 255 }, /^dataset\.classes: 255 .* whole number from 2 to 254$/],
  [{ format: "CityScapes", path: "/d", classes: 20 }, /^dataset\.classes: CityScapes has 19, not 20/],
  [{ format: "CityScapes", path: "/d", ignoreLabel: 0 }, /^dataset\.ignoreLabel: CityScapes knows its own/],
  [{ format: "Shapes", path: "/d" }, /^dataset\.path: Shapes has no files/],
  [{ format: "Shapes", classes: 7 }, /^dataset\.classes: Shapes has at most 6, not 7$/],
  [{ format: "Shapes", classNames: ["a"] }, /^dataset\.classNames: has 1 names for 6 classes/],
  [{ format: "Shapes", classNames: "a" }, /^dataset\.classNames: "a" is no list of names/],
  [{ format: "Shapes", shapes: { height: 8 } }, /^dataset\.shapes\.height: 8 .* from 32 to/],
  [{ format: "Folder", path: "/d", classes: 3, shapes: {} }, /^dataset\.shapes: is for format Shapes only/],
  [
    { format: "Shapes", heldOut: 0.1 },
    /^dataset\.heldOut: 0\.1 is no share; write a decimal string .*"0\.1"$/,
  ],
  [{ format: "Shapes", heldOut: "1" }, /^dataset\.heldOut: "1" is no share/],
  [{ format: "Shapes", heldout: "0.1" }, /^dataset: unknown field "heldout", write only format, path/],
];
for (const [value, sentence] of wrong) {
  test(`refused: dataset ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => parseDataset(value),
      (error) => error instanceof UserError && sentence.test(error.message),
    );
  });
}

const camvid = fileURLToPath(new URL("../../../../shared/data/camvid", import.meta.url));
const skip = existsSync(camvid) ? false : "CamVid is not at ../shared/data/camvid beside the repository";

test("CamVid opens whole, and the held-out tenth shows every class", { skip }, async () => {
  const spec: DatasetSpec = { format: "Folder", path: camvid, classes: 11, ignoreLabel: 11 };
  const { training, heldOut, validation, test } = await openDataset(spec, 1);
  assert.equal(training.names.length + heldOut.names.length, 367);
  assert.equal(heldOut.names.length, 37);
  assert.deepEqual([validation?.names.length, test?.names.length], [101, 233]);
  const seen = new Set<number>();
  for (const index of heldOut.names.keys()) {
    const { label, image, height, width } = await heldOut.read(index);
    assert.deepEqual([height, width, image.length], [360, 480, 360 * 480 * 3]);
    for (const value of label) seen.add(value);
  }
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, IGNORED],
  );
});
