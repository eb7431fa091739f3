// `segnas encoder import`: the encoder's pretrained weights, from a Keras MobileNetV2 into a weights file.
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { writeEncoder } from "@segnas/trainer/model/encoder.ts";
import { importEncoder } from "@segnas/trainer/model/keras.ts";
import { Command } from "commander";

export function encoderCommand(): Command {
  const command = new Command("encoder").description("Pretrained weights for the encoder.");
  command
    .command("import")
    .description("Import the encoder from a Keras MobileNetV2 of width 1.0.")
    .argument(
      "<source>",
      "nsfwjs (the npm package), a Keras .h5 file, a tfjs model.json, or a .safetensors file",
    )
    .requiredOption("--output <file>", "the weights file to write")
    .addHelpText("after", "\nExample:\n  segnas encoder import nsfwjs --output encoder.safetensors")
    .action(async (source: string, { output }: { output: string }) => {
      await checkOutput(output);
      const encoder = await importEncoder(source);
      try {
        await mkdir(dirname(output), { recursive: true });
        await writeEncoder(output, encoder);
      } catch (error) {
        throw new UserError(`--output ${output}: cannot be written (${(error as Error).message})`);
      }
      console.log(`${output}: the encoder from ${source}, ${encoder.arrays.size} arrays`);
    });
  return command;
}

/** The file is put in place as a whole: what is there must be a file. Throws UserError. */
async function checkOutput(output: string): Promise<void> {
  const there = await stat(output).catch(() => undefined);
  if (there && !there.isFile())
    throw new UserError(`--output ${output}: is not a file; give the path of one`);
}
