"""Computes the references of the operator samples with PyTorch.

usage: generate.py SAMPLES.jsonl FOLDER

SAMPLES.jsonl is what tests/harness/export.lua writes; tests/reference/regenerate runs both. For every family one
FOLDER/family.safetensors is written: the outputs of sample "exp#1" in dtype float64 are the tensors
"exp#1:float64:1", ..., its gradients "exp#1:grad:input", ..., those in complex128 "exp#1:complex grad:input", ....
Floats are stored as float64, complex numbers as their parts in a last dim of size 2. The metadata entry
"index" has one line a sample: key, fingerprint, and for each dtype run the dtypes of the outputs.
"""

import json
import os
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

import spelled
import spelled_nn

DTYPES = {
    name: getattr(torch, name)
    for name in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
}
STORED = {"bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "float64": "F64"}


def dtype_class(name):
    for kind in ("float", "complex"):
        if kind in name:
            return kind
    return {"bool": "bool", "uint8": "uint"}.get(name, "int")


def element(value):
    return float(value) if value in ("nan", "inf", "-inf") else value


def make_tensor(spec, run):
    if "complex" in spec:
        return complex(*spec["complex"])
    if "number" in spec:
        value = element(spec["number"])
        return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None)
    dtype = spec.get("dtype") or run
    flat = [element(v) for v in spec["elements"][dtype_class(dtype)]]
    if dtype_class(dtype) == "complex":
        parts = torch.tensor(flat, dtype=torch.float64).reshape(-1, 2)
        return torch.view_as_complex(parts).to(DTYPES[dtype]).reshape(spec["shape"])
    return torch.tensor(flat, dtype=DTYPES[dtype]).reshape(spec["shape"])


def is_inexact(tensor):
    return tensor.is_floating_point() or tensor.is_complex()


def zero_based(kind, value):
    """Dims and positions count from 1 in the samples."""
    if kind in ("dim", "dims", "newdim", "pos") and value is not None:
        if isinstance(value, list):
            return [zero_based(kind, v) for v in value]
        return value - 1 if value > 0 else value
    if kind == "dtype" and value is not None:
        return DTYPES[value]
    if isinstance(value, list):
        return [element(v) for v in value]
    return element(value)


class Call:
    """The arguments of one sample in one dtype, and the tensors among them that take part in gradients."""

    def __init__(self, sample, run):
        self.given = {}
        self.leaves = {}
        self.all = {}
        for parameter in sample["parameters"]:
            name, kind = parameter["name"], parameter["kind"]
            if name in sample["args"]:
                self.given[name] = self.read(name, kind, sample["args"][name], run)
                self.all[name] = self.given[name]
            else:
                self.all[name] = zero_based(kind, parameter.get("default"))
        if sample["makes"] and "dtype" not in self.given:
            self.given["dtype"] = self.all["dtype"] = DTYPES[run]

    def leaf(self, name, spec, run):
        tensor = make_tensor(spec, run)
        if spec.get("grad") and not spec.get("dtype") and is_inexact(tensor):
            tensor.requires_grad_(True)
            self.leaves[name] = tensor
        return tensor

    def read(self, name, kind, arg, run):
        if "tensor" in arg:
            return self.leaf(name, arg["tensor"], run)
        if "tensors" in arg:
            return [
                self.leaf(f"{name}.{i + 1}", item["tensor"], run) if "tensor" in item else None
                for i, item in enumerate(arg["tensors"])
            ]
        value = arg.get("value")
        return zero_based(kind, value)


def run_call(sample, call):
    names = {name: getattr(module, name) for module in (spelled, spelled_nn) for name in module.__all__}
    names.update(torch=torch, F=F, default=lambda f: f(**call.given))
    # Arguments are looked up as globals, so that the lambdas of an expression see them too.
    result = eval(sample["torch"], {**names, **call.all})  # noqa: S307
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    return [r for r in results if r is not None]


def dtype_of(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def wide_run(sample):
    """The sample in float64, with the elements that an integer or bool run would have."""

    def run(source):
        call = Call(sample, source)
        for name, value in call.all.items():
            if isinstance(value, torch.Tensor) and dtype_of(value) == source:
                call.all[name] = call.given[name] = value.double()
            elif isinstance(value, list):
                items = [v.double() if isinstance(v, torch.Tensor) and dtype_of(v) == source else v for v in value]
                call.all[name] = call.given[name] = items
        return run_call(sample, call)

    return run


def cast_to(tensor, run):
    if not tensor.is_floating_point():
        return tensor
    if run == "bool":
        return tensor != 0
    return tensor.to(torch.int64).to(DTYPES[run])


def outputs(sample, run):
    """The outputs of a run and their dtypes. Integers that PyTorch computes as floats are computed as float64."""
    try:
        results = run_call(sample, Call(sample, run))
    except (RuntimeError, NotImplementedError) as problem:
        if dtype_class(run) in ("float", "complex"):
            raise
        print(f"{sample['key']} {run}: by way of float64: {str(problem).splitlines()[0]}", file=sys.stderr)
        results = wide_run(sample)(run)
        if sample["to_float"]:
            return results, ["float32" if r.is_floating_point() else dtype_of(r) for r in results]
        results = [cast_to(r, run) for r in results]
        return results, [dtype_of(r) for r in results]
    dtypes = [dtype_of(r) for r in results]
    if dtype_class(run) not in ("float", "complex") and any(r.is_floating_point() for r in results):
        results = wide_run(sample)(run)
    return results, dtypes


def cotangent(tensor, number):
    """The weights of an output's elements in the scalar whose gradients are stored: tests use the same."""
    steps = torch.arange(1, tensor.numel() + 1, dtype=torch.float64)
    return torch.cos(steps + number).reshape(tensor.shape)


def parts(tensor):
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def gradients(sample, run):
    call = Call(sample, run)
    results = run_call(sample, call)
    total = None
    for k, r in enumerate(results):
        if is_inexact(r) and r.requires_grad:
            values = parts(r).double()
            term = (values * cotangent(values, k)).sum()
            total = term if total is None else total + term
    if total is None or not call.leaves:
        return {}
    grads = torch.autograd.grad(total, list(call.leaves.values()), allow_unused=True)
    return {
        name: torch.zeros_like(leaf) if g is None else g for (name, leaf), g in zip(call.leaves.items(), grads)
    }


def as_array(tensor):
    tensor = parts(tensor.detach())
    if tensor.is_floating_point():
        tensor = tensor.double()
    # ascontiguousarray would make a 0-dim array one of one dim.
    return np.array(tensor.resolve_neg().numpy(), order="C")


def write_safetensors(path, arrays, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": STORED[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for array in arrays.values():
            file.write(array.tobytes())
    os.replace(path + ".part", path)


class Family:
    def __init__(self):
        self.arrays = {}
        self.index = []

    def add(self, sample):
        key = sample["key"]
        line = [key, sample["fingerprint"]]
        for run in sample["runs"]:
            results, dtypes = outputs(sample, run)
            for i, r in enumerate(results):
                self.arrays[f"{key}:{run}:{i + 1}"] = as_array(r)
            line.append(f"{run}={','.join(dtypes)}")
        for run, word in (("float64", "grad"), ("complex128", "complex grad")):
            if sample["grad"] and run in sample["runs"] and (word == "grad" or sample.get("complex_grad", True)):
                for name, g in gradients(sample, run).items():
                    self.arrays[f"{key}:{word}:{name}"] = as_array(g)
        self.index.append(" ".join(line))


def promotions():
    """What add makes of each pair of dtypes: two tensors, a tensor and a 0-dim one, a tensor and a number."""
    names = list(DTYPES)

    def index_of(a, b):
        # Complex numbers of half floats are not among the dtypes: complex64 is the narrowest.
        name = str(torch.result_type(a, b)).removeprefix("torch.")
        return names.index("complex64" if name in ("complex32", "bcomplex32") else name)

    pairs = {"tensors": np.zeros((len(names), len(names)), np.int64), "scalar": None}
    pairs["scalar"] = pairs["tensors"].copy()
    numbers = np.zeros((len(names), 2), np.int64)
    for i, a in enumerate(names):
        tensor = torch.ones(2, dtype=DTYPES[a])
        for j, b in enumerate(names):
            pairs["tensors"][i, j] = index_of(tensor, torch.ones(2, dtype=DTYPES[b]))
            pairs["scalar"][i, j] = index_of(tensor, torch.ones((), dtype=DTYPES[b]))
        numbers[i] = [index_of(tensor, 1), index_of(tensor, 1.5)]
    return {**pairs, "numbers": numbers}, {"dtypes": " ".join(names)}


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    families, failed = {}, 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for text in lines:
            sample = json.loads(text)
            try:
                families.setdefault(sample["family"], Family()).add(sample)
            except Exception as problem:  # noqa: BLE001 - every sample that fails is reported, then the run fails
                failed += 1
                print(f"{sample['key']}: {sample['torch']}: {type(problem).__name__}: {problem}", file=sys.stderr)
    if failed:
        sys.exit(f"{failed} samples could not be computed; nothing was written")
    write_safetensors(os.path.join(sys.argv[2], "promotion.safetensors"), *promotions())
    for name, family in families.items():
        metadata = {"index": "\n".join(family.index), "pytorch": torch.__version__.split("+")[0]}
        write_safetensors(os.path.join(sys.argv[2], name + ".safetensors"), family.arrays, metadata)


if __name__ == "__main__":
    main()
