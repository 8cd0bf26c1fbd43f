"""Compares every line of ops.json at several sizes, contiguous and transposed."""

import math
import sys

from peers import report, start_peers
from torch_ops import LINES

SIZES = [1000, 100_000, 1_000_000, 10_000_000]
BOUND = 2.0


def add_options(parser):
    parser.add_argument("--family", action="append")
    parser.add_argument("--op", action="append")
    parser.add_argument("--size", action="append", type=float)
    parser.add_argument("--layout", choices=["contiguous", "transposed"])
    parser.add_argument("--threads", type=int, default=1)


def words(value):
    if isinstance(value, list):
        return [word for item in value for word in words(item)]
    return str(value).split()


def title(line):
    """The call in words: "sum(matrix, dim 1)"."""
    named = [f"{name}={value}" for name, value in line.get("with", {}).items()]
    text = f"{line['op'].removeprefix('nn.functional.')}({', '.join(map(str, line['args'] + named))})"
    return text + (" back" if line.get("backward") else "")


def cases(line, options):
    """The pairs of a size and a layout that a line is measured at. One whose tensors have sizes of their own is measured
    once."""
    tokens = words(line["args"])
    heads = [arg.removeprefix("list ").split()[0] for arg in line["args"] if isinstance(arg, str)]
    turns = "matrix" in heads or "square" in heads
    sized = turns or any(name in token for token in tokens for name in ("matrix", "vector", "batch", "column", "row"))
    layouts = line.get("layouts", ["contiguous", "transposed"] if turns else ["contiguous"])
    sizes = [n for n in options.size or SIZES if n <= line.get("most", math.inf)] if sized else [0]
    return [(int(n), layout) for n in sizes for layout in layouts if options.layout in (None, layout)]


def print_summary(ratios, absent):
    """ratios: (ratio, bound, family, text) of each line."""
    families = {}
    for ratio, _, family, _ in ratios:
        families.setdefault(family, []).append(math.log(ratio))
    for family, logs in families.items():
        print(f"{family:12} {len(logs):4} lines, geometric mean {math.exp(sum(logs) / len(logs)):.2f}")
    above = sorted((entry for entry in ratios if entry[0] > entry[1]), reverse=True)
    for ratio, bound, family, text in above:
        print(f"above {bound:g}: {ratio:6.2f}  {family}: {text}")
    if absent:
        print("not in Tocha: " + ", ".join(sorted(absent)))
    print(f"{len(above)} of {len(ratios)} lines above their bound")


def measure_pairs(peers, options, name):
    """Pairs of seconds, or what a peer says instead."""
    pairs = []
    for _ in range(options.rounds):
        pair = [peer.measure(options.threads, name) for peer in peers]
        for answer in pair:
            if isinstance(answer, str):
                return answer
        pairs.append(pair)
    return pairs


def compare_ops(options):
    peers = start_peers(options.binary, options.threads)
    ratios, absent, failed = [], set(), 0
    for index, line in enumerate(LINES, 1):
        if options.family and line["family"] not in options.family or options.op and line["op"] not in options.op:
            continue
        for n, layout in cases(line, options):
            size = f" 1e{round(math.log10(n))}{' T' if layout == 'transposed' else ''}" if n else ""
            text, bound = title(line) + size, line.get("bound", BOUND)
            pairs = measure_pairs(peers, options, f"op {index} {n or 1000} {layout}")
            if pairs == "absent":
                absent.add(line["op"])
                break
            if isinstance(pairs, str):
                print(f"{text}: {pairs}")
                failed += 1
                break
            ratio = report(text, options.threads, [p[0] for p in pairs], [p[1] for p in pairs], bound)
            ratios.append((ratio, bound, line["family"], text))
    for peer in peers:
        peer.close()
    print_summary(ratios, absent)
    if failed:
        sys.exit(f"bench: {failed} lines could not be measured")
