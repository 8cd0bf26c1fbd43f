"""Prints the public names that PyTorch documents, a namespace after the other, as scripts/coverage reads them.

Documented is what has a doc string: functions, methods, properties and classes that begin with no underscore and that
PyTorch itself defines. The few names below stand in its manual and have their text elsewhere.
"""

import inspect
import types

import torch

NAMESPACES = [
    ("torch", torch),
    ("Tensor", torch.Tensor),
    ("linalg", torch.linalg),
    ("fft", torch.fft),
    ("nn.functional", torch.nn.functional),
]

MANUAL = {
    "torch": ["Generator", "Size", "e", "finfo", "iinfo", "inf", "nan", "pi"],
    "Tensor": ["data", "dtype", "grad_fn", "layout"],
}


def text(thing):
    own = thing.__dict__.get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    return isinstance(own, str) and own.strip() != ""


def documented(holder, name):
    thing = inspect.getattr_static(holder, name)
    if isinstance(thing, types.ModuleType) or not (callable(thing) or inspect.isdatadescriptor(thing)):
        return False
    elsewhere = (getattr(thing, "__module__", None) or "torch").split(".")[0] != "torch"
    return text(thing) and not (elsewhere and holder is not torch.Tensor)


def main():
    print(f"PyTorch {torch.__version__.split('+')[0]}")
    for title, holder in NAMESPACES:
        names = [name for name in dir(holder) if not name.startswith("_") and documented(holder, name)]
        for name in sorted(set(names) | set(MANUAL.get(title, []))):
            print(title, name)


main()
