"""What mrcfile and gemmi say of the headers of real files: the second opinion of real-maps.test.ts.

    python describe.py FOLDER        prints {"name": {...}} as JSON for the files in the folder

The files have their true size, and no data after the headers: nothing here reads data.
"""
import json
import os
import sys
import warnings

import gemmi
import mrcfile

warnings.simplefilter("ignore")

FEI = {
    "voltage": ("HT", 1e-3),
    "dose": ("Dose", 1e-20),
    "defocus": ("Defocus", 1e6),
    "magnification": ("Magnification", 1),
    "exposure": ("Integration time", 1),
    "pixel": ("Pixel size X", 1e10),
    "tilt": ("Alpha tilt", 1),
}


def triple(value, names="xyz"):
    return [float(value[name]) if value.dtype.names else float(value) for name in names]


def describe(path):
    with mrcfile.open(path, permissive=True, header_only=True) as mrc:
        header = mrc.header
        found = {
            "size": [int(header.nx), int(header.ny), int(header.nz)],
            "mode": int(header.mode),
            "m": [int(header.mx), int(header.my), int(header.mz)],
            "nstart": [int(header.nxstart), int(header.nystart), int(header.nzstart)],
            "cell": triple(header.cella),
            "angles": triple(header.cellb, ("alpha", "beta", "gamma")),
            "origin": triple(header.origin),
            "axes": [int(header.mapc), int(header.mapr), int(header.maps)],
            "ispg": int(header.ispg),
            "voxel": triple(mrc.voxel_size),
            "fei": None,
        }
        if header.exttyp in (b"FEI1", b"FEI2"):
            record = mrc.indexed_extended_header[0]
            found["fei"] = {name: float(record[field]) * scale for name, (field, scale) in FEI.items()}
            found["fei"]["microscope"] = record["Microscope type"].decode()
            found["fei"]["camera"] = record["Camera name"].decode()
    found["space"] = space(path, found["size"])
    return found


def space(path, size):
    """The size along X, Y, Z; None for a file that gemmi refuses."""
    try:
        return [size[axis] for axis in gemmi.read_ccp4_header(path).axis_positions()]
    except RuntimeError:
        return None


folder = sys.argv[1]
print(json.dumps({name: describe(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}))
