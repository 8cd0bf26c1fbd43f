"""What PyTorch has no single call for, under the names that the samples' expressions use.

Positions in index tensors arrive as the samples have them: from 1, negative ones from the end.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812

__all__ = [
    "adam_step",
    "amp_unscale",
    "addmm",
    "arg_pick",
    "backward_at",
    "avg_pool",
    "complex_of",
    "conv_input_grad",
    "conv_relu",
    "conv_weight_grad",
    "cut",
    "ignored",
    "index_put",
    "input_gradient",
    "labels",
    "linear",
    "linear_gelu",
    "lu_order",
    "lu_without_pivot",
    "max_pool",
    "nonzero_static",
    "padding",
    "pick",
    "polygamma",
    "positions",
    "prod",
    "put_slice",
    "put_window",
    "reduce_all",
    "reduce_dims",
    "sgd_step",
    "signed_svd",
    "real_eig",
    "signed_vectors",
    "span",
    "take_slice",
    "uniques",
    "unpool",
    "weight_rows",
    "wrap",
    "wrap_size",
    "isinstance",
    "int",
]
isinstance = isinstance  # noqa: A001, PLW0127 - expressions see only these names
int = int  # noqa: A001, PLW0127


def polygamma(n, input):  # noqa: A002
    """torch.polygamma is off in the tenth digit for n = 1."""
    if n == 0:
        return torch.digamma(input)
    wide = input if input.is_floating_point() else input.to(torch.get_default_dtype())
    return (-1.0) ** (n + 1) * math.factorial(n) * torch.special.zeta(torch.full_like(wide, n + 1.0), wide)


def wrap_size(index, size):
    """Positions as 0-based ones along a dim of that size."""
    index = index.long()
    return torch.where(index > 0, index - 1, index + size)


def wrap(index, tensor, dim):
    return wrap_size(index, tensor.shape[dim] if tensor.dim() else 1)


def pick(indices):
    """The key of an indexing expression."""

    def one(index):
        if index is None:
            return slice(None)
        if index.dtype == torch.bool:
            return index
        index = index.long()
        return torch.where(index > 0, index - 1, index)

    return tuple(one(i) for i in indices)


def index_put(input, indices, values, accumulate):  # noqa: A002
    if accumulate:
        return torch.index_put(input, pick(indices), values, accumulate=True)
    result = input.clone()
    result[pick(indices)] = values
    return result


def cut(src, index):
    """The part of src that a scatter with that index reads."""
    return src[tuple(slice(0, size) for size in index.shape)]


def complex_of(real, imag):
    """complex of what PyTorch wants cast and broadcast before."""
    tensors = [t for t in (real, imag) if t.dim() or not (real.dim() or imag.dim())]
    wide = torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32
    return torch.complex(*torch.broadcast_tensors(real.to(wide), imag.to(wide)))


def padding(padding_idx):
    return None if padding_idx is None else padding_idx - 1


def positions(result):
    """Values and indices, the indices counted from 1."""
    return result[0], result[1] + 1


def arg_pick(function, input, dim, keepdim):  # noqa: A002
    return (function(input) if dim is None else function(input, dim, keepdim)) + 1


def reduce_dims(function, input, dim, keepdim):  # noqa: A002
    """A reduction over one dim, several, or all of them."""
    if dim is None:
        dim = list(range(input.dim()))
    if function in (torch.any, torch.all) and not input.dim():
        return function(input)
    return function(input, dim, keepdim) if isinstance(dim, list) or input.dim() else function(input)


def reduce_all(function, input, dim, keepdim, dtype):  # noqa: A002
    if dim is None:
        dim = list(range(input.dim()))
    return function(input, dim, keepdim, dtype=dtype)


def prod(input, dim, keepdim, dtype):  # noqa: A002
    if dim is None:
        return torch.prod(input, dtype=dtype)
    dims = sorted((d % max(input.dim(), 1) for d in (dim if isinstance(dim, list) else [dim])), reverse=True)
    result = input if dtype is None else input.to(dtype)
    for d in dims:
        result = torch.prod(result, d, keepdim)
    return result


def span(first, last, step, dtype, whole):
    """first, first + step, ... up to and including last."""
    count = int(max(0, (last - first) / step + 1e-9 + 1))
    values = first + step * torch.arange(count, dtype=torch.int64 if whole else torch.float64)
    return values.to(dtype or (torch.int64 if whole else torch.float32))


def slice_bounds(input, dim, first, last, step):  # noqa: A002
    """A 1-based inclusive range as a Python slice; first was made 0-based like all positions, and so was last."""
    size = input.shape[dim]
    first, last = (p + size if p < 0 else p for p in (first, last))
    return tuple([slice(None)] * (dim % input.dim()) + [slice(first, last + 1, step)])


def take_slice(input, dim, first, last, step):  # noqa: A002
    return input[slice_bounds(input, dim, first, last, step)]


def put_slice(input, src, dim, first, last, step):  # noqa: A002
    result = input.clone()
    result[slice_bounds(input, dim, first, last, step)] = src
    return result


def put_window(input, src, size, stride, offset):  # noqa: A002
    """as_strided_scatter, whose own gradient does not suit inputs of several dims."""
    flat = input.reshape(-1)
    at = torch.as_strided(torch.arange(flat.numel()), size, stride, offset).reshape(-1)
    return torch.index_put(flat, (at,), src.reshape(-1)).reshape(input.shape)


def nonzero_static(input, size, fill_value):  # noqa: A002
    found = torch.nonzero(input)[:size] + 1
    rest = torch.full((size - found.shape[0], input.dim()), fill_value, dtype=torch.int64)
    return torch.cat([found, rest])


def weight_rows(grad, index, count, padding_idx):
    """The gradient of an embedding's weight."""
    rows = torch.zeros(count, grad.shape[-1], dtype=grad.dtype)
    kept = torch.ones_like(index, dtype=torch.bool) if padding_idx is None else index != padding_idx
    return torch.index_add(rows, 0, index[kept].reshape(-1), grad[kept].reshape(-1, grad.shape[-1]))


def uniques(result, inverse):
    """The results of unique, the positions counted from 1."""
    if not isinstance(result, tuple):
        return result
    return (result[0], result[1] + 1, *result[2:]) if inverse else result


def unpool(grad, indices, input_size, dims):
    """Zeros with each element of grad added at its position in its image."""
    images = torch.zeros(input_size, dtype=grad.dtype).flatten(-dims)
    images = torch.scatter_add(images, -1, indices.flatten(-dims) - 1, grad.flatten(-dims))
    return images.reshape(input_size)


def max_pool(input, kernel_size, *options):  # noqa: A002
    """Values and 0-based positions, for images of as many dims as kernel_size has numbers."""
    return getattr(F, f"max_pool{len(kernel_size)}d")(input, kernel_size, *options, return_indices=True)


def avg_pool(input, kernel_size, *options):  # noqa: A002
    dims = len(kernel_size)
    return getattr(F, f"avg_pool{dims}d")(input, kernel_size, *options[: 4 if dims == 1 else 5])


def addmm(input, mat1, mat2, beta, alpha):  # noqa: A002
    product = alpha * (mat1 @ mat2)
    product = product.to(mat1.dtype)
    return product if beta == 0 else (beta * input).to(mat1.dtype) + product


def linear(input, weight, bias):  # noqa: A002
    product = input @ weight.T
    return product if bias is None else product + bias


def linear_gelu(input, weight, bias):  # noqa: A002
    product = linear(input, weight, bias)
    return F.gelu(product, approximate="tanh"), product


def input_gradient(function, shape, grad):
    """The gradient of the input, of that shape, of a function whose gradient does not depend on its input."""
    with torch.enable_grad():
        x = torch.zeros(shape, dtype=grad.dtype, requires_grad=True)
        return torch.autograd.grad(function(x), x, grad, create_graph=True)[0]


def backward_at(function, input, grad):  # noqa: A002
    """The gradient of the input of a function, where it is input."""
    with torch.enable_grad():
        x = input if input.requires_grad else input.detach().requires_grad_(True)
        return torch.autograd.grad(function(x), x, grad, create_graph=True)[0]


def conv_relu(input, weight, bias, stride, pads, dilation, groups):  # noqa: A002
    return F.relu(getattr(F, f"conv{weight.dim() - 2}d")(input, weight, bias, stride, pads, dilation, groups))


def conv_input_grad(size, weight, grad, stride, pads, dilation, groups):
    conv = getattr(F, f"conv{weight.dim() - 2}d")
    return input_gradient(lambda x: conv(x, weight, None, stride, pads, dilation, groups), size, grad)


def conv_weight_grad(input, size, grad, stride, pads, dilation, groups):  # noqa: A002
    conv = getattr(F, f"conv{len(size) - 2}d")
    return input_gradient(lambda w: conv(input, w, None, stride, pads, dilation, groups), size, grad)


def labels(target, ignore_index):
    """Class labels from 0, the ignored one as -100."""
    target = target.long()
    return torch.where(target == ignore_index, torch.full_like(target, -100), target - 1)


def ignored(_ignore_index):
    return -100


def leaves(params, grads):
    given = [p.detach().clone().requires_grad_(True) for p in params]
    for p, grad in zip(given, grads):
        p.grad = grad.detach().clone()
    return given


def each(steps, count):
    return [steps] * count if isinstance(steps, int) else steps


def sgd_step(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, steps):
    with torch.no_grad():
        given = leaves(params, grads)
        optimizer = torch.optim.SGD(given, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                                    nesterov=nesterov, maximize=maximize)
        for i, p in enumerate(given):
            if momentum and each(steps, len(given))[i] > 1:
                optimizer.state[p]["momentum_buffer"] = buffers[i].detach().clone()
        optimizer.step()
        found = [optimizer.state[p]["momentum_buffer"] for p in given] if momentum else []
        return [p.detach() for p in given] + found


def amp_unscale(found_inf, grads, inv_scale):
    found, scaled = found_inf.clone(), [g.clone() for g in grads]
    torch._amp_foreach_non_finite_check_and_unscale_(scaled, found, torch.tensor(inv_scale))
    return (found, *scaled)


def adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, eps, weight_decay,
              decoupled, maximize):
    with torch.no_grad():
        given = leaves(params, grads)
        kind = torch.optim.AdamW if decoupled else torch.optim.Adam
        optimizer = kind(given, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay,
                         amsgrad=max_exp_avg_sqs is not None, maximize=maximize)
        names = {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs}
        if max_exp_avg_sqs is not None:
            names["max_exp_avg_sq"] = max_exp_avg_sqs
        for i, p in enumerate(given):
            state = {name: tensors[i].detach().clone() for name, tensors in names.items()}
            optimizer.state[p] = {"step": torch.tensor(float(each(steps, len(given))[i] - 1)), **state}
        optimizer.step()
        return [p.detach() for p in given] + [optimizer.state[p][name] for name in names for p in given]


def signs(vectors):
    """What turns each column so that its first element that is half as large as the largest is positive."""
    with torch.no_grad():
        size = vectors.abs()
        first = (2 * size >= size.amax(-2, keepdim=True)).int().argmax(-2, keepdim=True)
        element = torch.take_along_dim(vectors, first, -2)
        return element.conj() / element.abs() if vectors.is_complex() else torch.where(element < 0, -1.0, 1.0)


def signed_svd(matrix, full):
    u, s, vh = torch.linalg.svd(matrix, full)
    if not matrix.numel():
        return u, s, vh
    by = signs(u)
    return u * by, s, vh * by.mH


def signed_vectors(pair):
    values, vectors = pair
    return (values, vectors * signs(vectors)) if vectors.numel() else (values, vectors)


def real_eig(matrix):
    """eig of real eigenvalues, whose vectors have no phase but a sign: so that PyTorch gives gradients through them."""
    if matrix.is_complex():
        return signed_vectors(torch.linalg.eig(matrix))
    real = signed_vectors([r.real for r in torch.linalg.eig(matrix)])
    return [torch.complex(r, torch.zeros_like(r)) for r in real]


def lu_order(pivots, rows):
    """The order of rows, from 1, that the swaps of each vector of pivots make."""
    orders = []
    for swaps in torch.atleast_2d(pivots).tolist():
        order = list(range(1, rows + 1))
        for row, other in enumerate(swaps):
            order[row], order[other - 1] = order[other - 1], order[row]
        orders.append(order)
    return torch.tensor(orders, dtype=torch.int64).reshape(*pivots.shape[:-1], rows)


def lu_without_pivot(a):
    """LU, pivots and info of matrices whose elimination meets no zero."""
    lu = a
    n = a.shape[-1]
    for k in range(n - 1):
        column = lu[..., k + 1 :, k : k + 1] / lu[..., k : k + 1, k : k + 1]
        rest = lu[..., k + 1 :, k + 1 :] - column @ lu[..., k : k + 1, k + 1 :]
        lower = torch.cat([lu[..., k + 1 :, :k], column, rest], -1)
        lu = torch.cat([lu[..., : k + 1, :], lower], -2)
    pivots = torch.arange(1, n + 1, dtype=torch.int32).expand(a.shape[:-1])
    return lu, pivots, torch.zeros(a.shape[:-2], dtype=torch.int32)
