// `segnas encoder import`: the encoder's pretrained weights, from a Keras MobileNetV2 into a weights file.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
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
      "nsfwjs (the npm package), a tfjs model.json, or a .safetensors file with Keras's names",
    )
    .requiredOption("--output <file>", "the weights file to write")
    .addHelpText("after", "\nExample:\n  segnas encoder import nsfwjs --output encoder.safetensors")
    .action(async (source: string, { output }: { output: string }) => {
      const encoder = await importEncoder(source);
      await mkdir(dirname(output), { recursive: true });
      await writeEncoder(output, encoder);
      console.log(`${output}: the encoder from ${source}, ${encoder.arrays.size} arrays`);
    });
  return command;
}
