"""Statistics of MRC files by numpy, read by mrcfile where it knows the mode: the second opinion of oracle.test.ts.

    python3 oracle.py FILE...        prints {"name": {"count", "min", "max", "mean", "sd", "nan", "inf"}} as JSON
"""
import json
import os
import sys
import warnings

import mrcfile
import numpy as np

warnings.simplefilter("ignore")


def read(path):
    with mrcfile.open(path, permissive=True, header_only=True) as mrc:
        header = mrc.header
        order = header.nx.dtype.byteorder
        order = "<" if order == "=" else order
        mode, offset = int(header.mode), 1024 + int(header.nsymbt)
        nx, ny, nz = int(header.nx), int(header.ny), int(header.nz)
        unsigned = mode == 0 and float(header.dmin) >= 0
    if mode in (1, 2, 4, 6, 12) or (mode == 0 and not unsigned):
        with mrcfile.open(path, permissive=True) as mrc:
            data = np.array(mrc.data)
        return np.abs(data) if np.iscomplexobj(data) else data
    raw = np.fromfile(path, dtype=np.uint8, offset=offset)
    if mode == 0:
        return raw
    if mode == 3:
        pairs = raw.view(order + "i2").astype(np.float64).reshape(-1, 2)
        return np.hypot(pairs[:, 0], pairs[:, 1])
    if mode == 16:
        return raw.reshape(-1, 3).astype(np.float64).mean(axis=1)
    if mode == 101:
        halves = np.stack([raw & 15, raw >> 4], axis=1).reshape(-1)
        if len(raw) == nx * ny * nz // 2:
            return halves
        return halves.reshape(ny * nz, -1)[:, :nx]
    raise ValueError(f"mode {mode}")


def summarise(data):
    values = data.astype(np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    return {
        "count": len(finite),
        "min": float(finite.min()),
        "max": float(finite.max()),
        "mean": float(finite.mean()),
        "sd": float(finite.std()),
        "nan": int(np.isnan(values).sum()),
        "inf": int(np.isinf(values).sum()),
    }


print(json.dumps({os.path.basename(path): summarise(read(path)) for path in sys.argv[1:]}))
