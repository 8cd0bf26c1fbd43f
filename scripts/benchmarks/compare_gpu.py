"""Prints Tocha's times on a GPU beside PyTorch's, and as shares of what the card can do.

usage: compare_gpu.py TOCHA_BINARY; scripts/bench gpu calls it
"""

import os
import subprocess
import sys

from peers import HERE, seconds

BYTES = 256 << 20

# name, what it is, bytes that have to be moved (for a share of the copy's bandwidth)
LINES = [
    ("submit", "submitting an add of 4 floats", None),
    ("submit_grad", "the same, recorded for a gradient", None),
    ("graph_node", "replaying a graph, per node", None),
    ("copy", "copy of 256 MiB", 2 * BYTES),
    ("elementwise", "copy and product with a number, 256 MiB", 4 * BYTES),
    ("reduction", "sum of 256 MiB", BYTES),
    ("softmax", "softmax of rows of 1024, 256 MiB", 2 * BYTES),
    ("layer_norm", "layer norm of rows of 1024, 256 MiB", 2 * BYTES),
    ("mm4096", "bfloat16 product, 4096^3 (PyTorch: bare cuBLAS)", None),
    ("mm8192", "bfloat16 product, 8192^3 (PyTorch: bare cuBLAS)", None),
    ("mnist", "MNIST CNN, SGD step, batch 64", None),
    ("mnist_graph", "the same, replayed as a graph", None),
]


def results(command):
    """What a half prints, by name; "none" says why there are no times."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return {"none": done.stderr.strip().rsplit("\n", 1)[-1]}
    text = done.stdout
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def as_seconds(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def line(what, ours, theirs, floor):
    mine, other = as_seconds(ours), as_seconds(theirs)
    if mine is None:
        return f"{what:52} {ours or 'not measured'}"
    text = f"{what:52} {seconds(mine)} {seconds(other) if other else '         -':>11}"
    text += f" {mine / other:8.3f}" if other else f" {'-':>8}"
    return text + (f" {100 * floor / mine:7.1f} %" if floor else "")


def table(ours, theirs):
    """The lines to print. The share is of the time that moving the bytes takes at the speed of the copy."""
    copied = as_seconds(ours.get("copy"))
    yield f"{'':52}      Tocha     PyTorch    ratio   of copy bandwidth"
    for name, what, moved in LINES:
        floor = moved / (2 * BYTES) * copied if moved and copied else None
        yield line(what, ours.get(name), theirs.get(name), floor)


def main():
    ours = results([sys.argv[1], os.path.join(HERE, "gpu_tocha.lua")])
    if "none" in ours:
        sys.exit(f"bench: there is no device: {ours['none']}")
    theirs = results([sys.executable, os.path.join(HERE, "gpu_torch.py")])
    print(f"{ours['device']}; PyTorch: {theirs.get('none', 'measured on the same')}")
    for text in table(ours, theirs):
        print(text)


main()
