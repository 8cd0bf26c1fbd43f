"""Runs both halves in turn, in one go, and prints Tocha's time, PyTorch's and their ratio.

usage: compare.py TOCHA_BINARY [OPTIONS] [NAME ...]; scripts/bench --help says what there is
"""

import argparse
import os
import subprocess
import sys
import time

from compare_ops import add_options, compare_ops
from peers import report, seconds, start_peers

# name, what it is, the ratio to stay under
STEPS = [
    ("add4", "add of 4 floats", 0.25),
    ("chain20", "20 scalar ops, forward and backward", 0.3),
    ("mlp", "MLP 784-512-512-10, Adam step, batch 64", 1.0),
    ("lenet", "LeNet, Adam step, batch 64", 1.0),
    ("matmul1024", "matmul 1024 x 1024", 1.1),
]


def compare_steps(binary, names, rounds):
    for threads in (1, 2):
        ours, theirs = start_peers(binary, threads)
        for name, what, bound in STEPS:
            if names and name not in names:
                continue
            pairs = [(ours.measure(threads, name), theirs.measure(threads, name)) for _ in range(rounds)]
            report(what, threads, [p[0] for p in pairs], [p[1] for p in pairs], bound)
        ours.close()
        theirs.close()


def wall(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def resident(command):
    """Peak resident KiB of a command, as the kernel counts it."""
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    return os.wait4(pid, 0)[2].ru_maxrss


def compare_start(binary, rounds):
    bare = [binary, "-e", ""]
    ours = [binary, "-e", "local tocha = require 'tocha'; local _ = tocha.ones(4) + 1"]
    theirs = [sys.executable, "-c", "import torch; torch.ones(4) + 1"]
    start = min(wall(bare) for _ in range(4 * rounds))
    print(f"{'start-up':62}    {seconds(start)}{'':25}(<= 20 ms) {'ok' if start <= 0.02 else 'ABOVE'}")
    pairs = [(wall(ours), wall(theirs)) for _ in range(rounds)]
    report("import and first op", "-", [p[0] for p in pairs], [p[1] for p in pairs], 0.1)
    kib = resident(ours)
    print(f"{'resident after the first op':62}    {kib / 1024:8.1f} MiB{'':24}(<= 25 MiB) "
          f"{'ok' if kib <= 25 * 1024 else 'ABOVE'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("names", nargs="*")
    add_options(parser)
    options = parser.parse_intermixed_args()
    print(f"{'':62}         Tocha     PyTorch   ratio")
    if not options.names or "start" in options.names:
        compare_start(options.binary, options.rounds)
    if options.names != ["ops"]:
        compare_steps(options.binary, options.names, options.rounds)
    if "ops" in options.names:
        compare_ops(options)


main()
