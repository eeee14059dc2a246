"""Files that tifffile writes, and what it reads from them: the second opinion of tiff.test.ts.

    python write_tiff.py FOLDER      prints [{"name", "base64", ...}] as JSON

It also reads the EER files in FOLDER, which tifffile cannot write.
"""
import base64
import io
import json
import os
import sys

import numpy
import tifffile

random = numpy.random.default_rng(22)
counts = random.poisson(1.2, (3, 50, 64))
GREY = {"photometric": "minisblack", "metadata": None, "datetime": False}

FILES = {
    "plain8.tif": (counts.astype("u1"), {}),
    "lzw8.tif": (counts.astype("u1"), {"compression": "lzw"}),
    "noise-lzw8.tif": (random.integers(0, 256, (3, 50, 64), dtype="u1"), {"compression": "lzw"}),
    "strips-lzw16.tif": ((counts * 300).astype("u2"), {"compression": "lzw", "rowsperstrip": 7}),
    "predictor16.tif": ((counts * 300).astype("u2"), {"compression": "lzw", "predictor": True}),
    "bigtiff-big-endian16.tif": ((counts * 300 - 200).astype(">i2"), {"bigtiff": True, "byteorder": ">"}),
    "tiles-lzw32.tif": (counts.astype("f4") * 1.5, {"compression": "lzw", "tile": (16, 32)}),
    "whole32.tif": (counts.astype("u4"), {}),
    "double64.tif": (counts.astype("f8") / 4, {}),
    "half16.tif": (counts.astype("f2") / 4, {}),
    "zstd8.tif": (counts.astype("u1"), {"compression": "zstd"}),
}


def numbers(values):
    values = values.astype("f8")
    return {
        "shape": list(values.shape),
        "sum": float(values.sum()),
        "weighted": float((values.ravel() * (numpy.arange(values.size) % 97)).sum()),
    }


def write(name, values, how):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **GREY, **how)
    file.seek(0)
    found = numbers(tifffile.imread(file))
    return {"name": name, "base64": base64.b64encode(file.getvalue()).decode(), **found}


def read_eer(path):
    # The bits of the codes are tags of each page.
    with tifffile.TiffFile(path) as file:
        file.pages.useframes = False
        total = sum(page.asarray().astype("f4") for page in file.pages)
    height, width = total.shape
    binned = total.reshape(height // 2, 2, width // 2, 2).sum((1, 3))
    return {"name": os.path.basename(path), **numbers(binned[None])}


folder = sys.argv[1]
answers = [write(name, values, how) for name, (values, how) in FILES.items()]
answers += [read_eer(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".eer")]
json.dump(answers, sys.stdout)
