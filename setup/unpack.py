"""Unpacks what Node needs of TensorFlow's wheels into a folder, laid out as in site-packages.

The libraries find each other by that layout (nvidia/*/lib beside tensorflow/). Of TensorFlow itself that is
its two libraries, and the headers that the addon is compiled with.
"""

import sys
import zipfile
from pathlib import Path

KEPT = (
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
    "tensorflow/include/tensorflow/",
    "tensorflow/include/tsl/",
    "tensorflow/include/xla/",
    "nvidia/",
)

wheels, target = Path(sys.argv[1]), Path(sys.argv[2])
for wheel in sorted(wheels.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if name.startswith(KEPT)])
