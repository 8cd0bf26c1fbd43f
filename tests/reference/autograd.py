"""Writes autograd.lua beside this file: what PyTorch makes of programs with in-place writes, views, hooks and transforms.

tests/autograd_reference_spec.lua has the same programs under the same names. Each gives tensors, or raises an error.
"""

import os
import textwrap

import torch
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

torch.set_default_dtype(torch.float64)


def leaves():
    x = torch.tensor([[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]], requires_grad=True)
    w = torch.tensor([0.25, -0.75, 1.25], requires_grad=True)
    return x, w


def grads(y, *inputs):
    return torch.autograd.grad(y.sum(), inputs, allow_unused=True)


PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


@program
def write_to_a_slice():
    x, w = leaves()
    y = x * 2
    y[0].mul_(w)
    return y, *grads(y.sin(), x, w)


@program
def write_to_a_base_of_a_view():
    x, w = leaves()
    y = x * 2
    row = y[1]
    y.mul_(w)
    return row, *grads(row.exp() + y[0], x, w)


@program
def fill_a_constant():
    x, w = leaves()
    y = torch.zeros(3, 3)
    y[0] = w
    y[1:] = x * w
    return y, *grads(y.exp(), x, w)


@program
def write_to_a_leaf():
    x, _ = leaves()
    x.mul_(2)


@program
def write_to_a_view_of_a_leaf():
    x, _ = leaves()
    x[0].mul_(2)


@program
def saved_value_changed():
    x, w = leaves()
    y = x * w
    z = y * y
    y.add_(1)
    return grads(z, x)


@program
def saved_result_changed():
    x, _ = leaves()
    y = x.exp()
    y.mul_(2)
    return grads(y, x)


@program
def unread_value_changed():
    x, w = leaves()
    y = x * 1
    z = y + w
    y.mul_(7)
    return grads(z, x, w)


@program
def twice_through_a_freed_graph():
    x, w = leaves()
    y = (x * w).sum()
    y.backward()
    y.backward()


@program
def gradient_of_integers():
    torch.tensor([1, 2]).requires_grad_()


@program
def hooks_in_order():
    x, w = leaves()
    y = x * w
    y.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    y.sum().backward()
    return x.grad, w.grad


@program
def hook_before_a_write():
    x, _ = leaves()
    y = x * 1
    seen = []
    y.register_hook(seen.append)
    y.mul_(5)
    y.sum().backward()
    return seen[0], x.grad


@program
def hook_on_a_retained_gradient():
    x, w = leaves()
    y = x * w
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    y.sum().backward()
    return y.grad, x.grad


@program
def hook_of_another_shape():
    x, _ = leaves()
    x.register_hook(lambda g: torch.ones(5))
    x.sum().backward()


@program
def inference_tensor_saved():
    x, w = leaves()
    with torch.inference_mode():
        y = w * 2
    return x * y


@program
def inference_tensor_written():
    with torch.inference_mode():
        y = torch.ones(2)
    y.add_(1)


@program
def unused_input():
    x, w = leaves()
    torch.autograd.grad(x.sum(), w)


@program
def materialized():
    x, w = leaves()
    return torch.autograd.grad(x.sum(), (x, w), materialize_grads=True)


@program
def layout_of_a_transposed_leaf():
    x = torch.zeros(3, 2).t().requires_grad_()
    (x * torch.arange(6.0).view(2, 3)).sum().backward()
    return x.grad, torch.tensor(x.grad.stride(), dtype=torch.float64)


def mixed(x, w):
    return (x.exp() * w).sum() * x.square().sum() + (x @ w).sin().prod()


@program
def transform_grad():
    x, w = (t.detach() for t in leaves())
    return grad(mixed, argnums=(0, 1))(x, w)


@program
def transform_hessian():
    x, w = (t.detach() for t in leaves())
    return hessian(mixed, argnums=1)(x, w)


@program
def transform_jacobians():
    x, w = (t.detach() for t in leaves())

    def f(a, b):
        return (a * b.cos()).sum(0) * a[0], a @ b

    return *jacrev(f)(x, w), *jacfwd(f, argnums=1)(x, w)


@program
def transform_products():
    x, w = (t.detach() for t in leaves())
    value, direction = jvp(lambda a, b: (a @ b).tanh(), (x, w), (x * 2, w - 1))
    result, pull = vjp(lambda a, b: (a @ b).tanh(), x, w)
    return value, direction, result, *pull(torch.tensor([2.0, -1.0]))


@program
def transform_vmap():
    x, w = (t.detach() for t in leaves())
    per_sample = vmap(grad(lambda b, a: (a.dot(b).tanh() - a.sum()) ** 2), in_dims=(None, 0))(w, x)
    moved = vmap(lambda a: a.softmax(0).cumsum(0), in_dims=1, out_dims=1)(x)
    total = hessian(lambda b: vmap(lambda a: a.dot(b).tanh())(x).sum())(w)
    return per_sample, moved, total


def halves():
    """Numbers whose products are exact in bfloat16, or are rounded once."""
    x = torch.tensor([[0.5, -1.25, 2.0], [1.5, 0.7421875, -0.5]], dtype=torch.float32, requires_grad=True)
    w = torch.tensor([[0.25, -0.75, 1.2578125], [1.0, 0.5, -2.0], [0.75, 1.5, 0.1015625]], dtype=torch.float32,
                     requires_grad=True)
    return x, w


def doubles(*tensors):
    return tuple(t.double() for t in tensors)


@program
def autocast_products():
    x, w = halves()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = x.mm(w)
        z = torch.nn.functional.linear(y.relu(), w)
        loss = torch.nn.functional.mse_loss(z, torch.ones_like(x), reduction="sum")
    assert (y.dtype, z.dtype, loss.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)
    return doubles(y, z, loss, *torch.autograd.grad(loss, (x, w)))


@program
def autocast_switched_off():
    x, w = halves()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = x.mm(w)
        with torch.autocast("cpu", enabled=False):
            z = y.float().mm(w)
        joined = torch.cat([y, z])
    return doubles(z, joined, *torch.autograd.grad(joined.sum(), (x, w)))


@program
def grad_scaler():
    w = torch.tensor([1.0, -2.0], dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.25)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=2)
    seen = []
    for factor in (1.0, float("inf"), 0.5, 2.0, float("nan"), 1.0):
        optimizer.zero_grad()
        scaler.scale((w * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        seen += [w.detach().clone().double(), torch.tensor(scaler.get_scale())]
    return tuple(seen)


def flat(values):
    if isinstance(values, torch.Tensor):
        values = (values,)
    rows = []
    for t in values:
        text = "{shape = {%s}, %s}," % (", ".join(map(str, t.shape)),
                                        ", ".join("%.17g" % v for v in t.detach().flatten().tolist()))
        rows += textwrap.wrap(text, 108)
    return rows


def main():
    lines = ["--- What PyTorch %s gives; written by autograd.py." % torch.__version__.split("+")[0], "return {"]
    for name, f in PROGRAMS.items():
        try:
            rows = flat(f())
            lines.append("    %s = {" % name)
            lines += ["        " + row for row in rows]
            lines.append("    },")
        except (RuntimeError, ValueError):
            lines.append("    %s = {error = true}," % name)
    lines.append("}")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "autograd.lua")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


main()
