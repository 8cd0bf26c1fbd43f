"""Prepares a line of ops.json for PyTorch; tocha_ops.lua does the same for Tocha. ops.md says what the words mean."""

import json
import math
import os

import torch

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.json")) as file:
    LINES = json.load(file)

SHAPES = {"matrix": "rowsxcolumns", "square": "sidexside", "row": "columns", "column": "rowsx1", "column-vector": "rows"}


def sizes_of(n):
    rows = math.floor(math.sqrt(n / 1.6))
    return {"rows": rows, "columns": n // rows, "vector": n, "side": math.floor(math.sqrt(n)), "batch": n // 256 + 1}


def parse_shape(word, sizes):
    return [sizes[part] if part in sizes else int(part) for part in SHAPES.get(word, word).split("x")]


def definite(shape, _):
    return torch.randn(shape) * (0.1 / math.sqrt(shape[-1])) + torch.eye(shape[-1]) * 2


FILL = {
    "normal": lambda shape, _: torch.randn(shape),
    "uniform": lambda shape, _: torch.rand(shape) * 0.98 + 0.01,
    "positive": lambda shape, _: torch.rand(shape) * 1.5 + 0.5,
    "bool": lambda shape, _: torch.rand(shape) > 0.5,
    "ints": lambda shape, most: torch.randint(1, most + 1, shape),
    "index": lambda shape, most: torch.randint(0, most, shape),
    "small": lambda shape, _: torch.randn(shape) * 0.01,
    "ascending": lambda shape, _: torch.rand(shape).sort()[0],
    "definite": definite,
    "triangular": lambda shape, _: definite(shape, _).tril(),
}


def tensor(token, sizes, turned):
    words = token.split()
    shape, make, most, dtype = parse_shape(words[0], sizes), "normal", None, None
    for word in words[1:]:
        kind, _, limit = word.partition(":")
        if kind in FILL:
            make, most = kind, (sizes.get(limit) or int(limit)) if limit else None
        else:
            dtype = getattr(torch, kind)
    swap = turned and words[0] in ("matrix", "square")
    x = FILL[make](shape[::-1] if swap else shape, most)
    x = x.to(dtype) if dtype else x
    if make == "definite":
        x = (x + x.transpose(-2, -1)) * 0.5
    return x.t() if swap else x


WORDS = {
    "size": lambda rest, sizes, _: parse_shape(rest, sizes),
    "count": lambda rest, sizes, _: parse_shape(rest, sizes)[0],
    "dim": lambda rest, *_: int(rest) - 1,
    "dims": lambda rest, *_: [int(rest) - 1],
    "word": lambda rest, *_: rest,
    "numbers": lambda rest, sizes, _: tensor(rest, sizes, False).tolist(),
    "list": lambda rest, sizes, turned: [tensor(token, sizes, turned) for token in rest.split()],
    "numbers-list": lambda rest, *_: [int(token) for token in rest.split()],
}


def argument(token, sizes, turned):
    if not isinstance(token, str):
        return token
    first, _, rest = token.partition(" ")
    if first in WORDS:
        return WORDS[first](rest, sizes, turned)
    return tensor(token, sizes, turned)


def called(line):
    if line.get("method"):
        return getattr(torch.Tensor, line["op"])
    at = torch
    for part in line["op"].split("."):
        at = getattr(at, part)
    return at


def named(line):
    options = dict(line.get("with", {}))
    if "dtype" in options:
        options["dtype"] = getattr(torch, options["dtype"])
    if "dim" in options:
        options["dim"] -= 1
    return options


def tracked(argument):
    """The tensors of an argument, one or a list, which need a gradient from now on."""
    if isinstance(argument, list):
        return [x for item in argument for x in tracked(item)]
    floating = isinstance(argument, torch.Tensor) and argument.is_floating_point()
    return [argument.requires_grad_()] if floating else []


def backward(line, f, args, options):
    inputs = tracked(args[: line.get("fixed", len(args) + 1) - 1])

    def forward():
        y = f(*args, **options)
        return y if isinstance(y, torch.Tensor) else y[0]

    seed = torch.ones_like(forward())

    def run(n):
        for _ in range(n):
            torch.autograd.grad(forward(), inputs, seed, allow_unused=True)

    return run


def prepare(index, n, layout):
    """A function of a count that calls line index (from 1) of ops.json at n elements."""
    line = LINES[index - 1]
    f, sizes = called(line), sizes_of(n)
    args = [argument(token, sizes, layout == "transposed") for token in line["args"]]
    options = named(line)
    if line.get("backward"):
        return backward(line, f, args, options)

    def run(count):
        for _ in range(count):
            f(*args, **options)

    return run
