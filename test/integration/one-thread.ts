// Imported before TensorFlow: on one thread its results repeat to the bit.
for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"])
  process.env[name] = "1";
