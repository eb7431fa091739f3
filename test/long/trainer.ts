// The pretend trainer, which finds all configurations right, as a program for `segnas search --trainer`.
if (process.argv.includes("--check")) process.exit(0);
await import("../integration/pretend-trainer.ts");
