"""What PyTorch has no single call for, under the names that the samples' expressions use.

Positions in index tensors arrive as the samples have them: from 1, negative ones from the end.
"""

import itertools
import math

import torch
import torch.nn.functional as F  # noqa: N812

__all__ = [
    "adam_step",
    "adapted",
    "adaptive_max_pool",
    "amp_unscale",
    "addmm",
    "arg_pick",
    "backward_at",
    "attend",
    "attend_backward",
    "avg_pool",
    "blind_to_zero",
    "complex_of",
    "conv_input_grad",
    "conv_weight_grad",
    "ctc",
    "ctc_back",
    "cut",
    "distances",
    "fractional_max_pool",
    "entropy_rows",
    "entropy_rows_back",
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
    "resample",
    "reduced_ctc",
    "rnn_back",
    "rnn_sequence",
    "sampler",
    "sampler_grid_grad",
    "sampler_input_grad",
    "sgd_step",
    "signed_svd",
    "real_eig",
    "signed_vectors",
    "single",
    "single_cell",
    "span",
    "standardize",
    "standardize_backward",
    "take_slice",
    "uniques",
    "unpool",
    "weight_rows",
    "wide_response_norm",
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


def sgd_step(param, grad, buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    with torch.no_grad():
        p = param.detach().clone().requires_grad_(True)
        p.grad = grad.detach().clone()
        optimizer = torch.optim.SGD([p], lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                                    nesterov=nesterov, maximize=maximize)
        if momentum and not first:
            optimizer.state[p]["momentum_buffer"] = buffer.detach().clone()
        optimizer.step()
        return (p.detach(), optimizer.state[p]["momentum_buffer"]) if momentum else (p.detach(),)


def amp_unscale(found_inf, grads, inv_scale):
    found, scaled = found_inf.clone(), [g.clone() for g in grads]
    torch._amp_foreach_non_finite_check_and_unscale_(scaled, found, torch.tensor(inv_scale))
    return (found, *scaled)


def adam_step(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay, decoupled,
              maximize):
    with torch.no_grad():
        p = param.detach().clone().requires_grad_(True)
        p.grad = grad.detach().clone()
        kind = torch.optim.AdamW if decoupled else torch.optim.Adam
        optimizer = kind([p], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay,
                         amsgrad=max_exp_avg_sq is not None, maximize=maximize)
        state = {"step": torch.tensor(float(step - 1)), "exp_avg": exp_avg.detach().clone(),
                 "exp_avg_sq": exp_avg_sq.detach().clone()}
        if max_exp_avg_sq is not None:
            state["max_exp_avg_sq"] = max_exp_avg_sq.detach().clone()
        optimizer.state[p] = state
        optimizer.step()
        state = optimizer.state[p]
        found = [p.detach(), state["exp_avg"], state["exp_avg_sq"]]
        return found + ([state["max_exp_avg_sq"]] if max_exp_avg_sq is not None else [])


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


def as_wide(tensor):
    """Half types as float32, in which they are computed."""
    return tensor.float() if tensor is not None and tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def spread_weight(weight, shape):
    return weight.reshape(1, shape[1], shape[2], 1)


def standardize(input, weight, bias, eps, over_batch, center):  # noqa: A002
    x, dims = as_wide(input), (0, 2, 3) if over_batch else (2, 3)
    mean = x.mean(dims, keepdim=True) if center else torch.zeros_like(x.sum(dims, keepdim=True))
    rstd = 1 / torch.sqrt((x - mean).square().mean(dims, keepdim=True) + eps)
    result = (x - mean) * rstd
    if weight is not None:
        result = result * spread_weight(as_wide(weight), x.shape)
    if bias is not None:
        result = result + spread_weight(as_wide(bias), x.shape)
    size = (x.shape[1],) if over_batch else x.shape[:2]
    return result.to(input.dtype), mean.reshape(size), rstd.reshape(size)


def standardize_backward(grad, input, weight, mean, rstd, over_batch, center):  # noqa: A002
    g, x, dims = as_wide(grad), as_wide(input), (0, 2, 3) if over_batch else (2, 3)
    mean, rstd = (t.reshape(1 if over_batch else x.shape[0], x.shape[1], 1, 1) for t in (mean, rstd))
    normal = (x - mean) * rstd
    v = g if weight is None else g * spread_weight(as_wide(weight), x.shape)
    rest = v - normal * (v * normal).mean(dims, keepdim=True)
    if center:
        rest = rest - v.mean(dims, keepdim=True)
    sums = [(g * normal).sum((0, 3)).reshape(-1), g.sum((0, 3)).reshape(-1)]
    return [t.to(grad.dtype) for t in (rest * rstd, *sums)]


def wide_response_norm(input, size, alpha, beta, k):  # noqa: A002
    """local_response_norm with windows wider than avg_pool takes."""
    channels = input.shape[1]
    sums = [input[:, max(0, c - size // 2):c + (size - 1) // 2 + 1].square().sum(1) for c in range(channels)]
    return input / (torch.stack(sums, 1) * (alpha / size) + k) ** beta


def distances(input, p):  # noqa: A002
    """pdist, with gradients of gradients and of one row."""
    pairs = [torch.linalg.vector_norm(a - b, p) for i, a in enumerate(input) for b in input[i + 1:]]
    return torch.stack(pairs) if pairs else input.new_zeros(0)


def attention_weights(query, key, bias, scale, causal):
    scores = as_wide(query) @ as_wide(key).mT * scale
    if bias is not None:
        scores = scores + as_wide(bias)
    if causal:
        scores = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), -torch.inf)
    return scores


def shared_heads(tensor, query):
    return tensor.repeat_interleave(query.shape[1] // tensor.shape[1], 1)


def attend(query, key, value, bias, scale, is_causal):
    scores = attention_weights(query, shared_heads(key, query), bias, scale, is_causal)
    weights = scores.softmax(-1) if scores.shape[-1] else scores
    output = weights @ as_wide(shared_heads(value, query))
    return output.to(query.dtype), scores.logsumexp(-1)


def attend_backward(grad, query, key, value, bias, output, lse, lse_grad, scale, is_causal):
    keys, values, g = shared_heads(key, query), as_wide(shared_heads(value, query)), as_wide(grad)
    delta = (g * as_wide(output)).sum(-1)
    if lse_grad is not None:
        delta = delta - lse_grad
    weights = torch.exp(attention_weights(query, keys, bias, scale, is_causal) - lse[..., None])
    of_scores = weights * (g @ values.mT - delta[..., None])
    grads = [of_scores @ as_wide(keys) * scale]
    for heads in (of_scores.mT @ as_wide(query) * scale, weights.mT @ g):
        grads.append(heads.unflatten(1, (key.shape[1], heads.shape[1] // key.shape[1])).sum(2))
    return [t.to(grad.dtype) for t in grads]


def blind_to_zero(query, key, value, attn_mask):
    """Masked attention, also where a query sees nothing."""
    scores = (query @ key.mT / query.shape[-1] ** 0.5).masked_fill(~attn_mask, -torch.inf)
    blind = ~attn_mask.any(-1, keepdim=True)
    return torch.where(blind, 0.0, scores.masked_fill(blind, 0.0).softmax(-1)) @ value


def resample(input, size, mode, align_corners, antialias, scales):  # noqa: A002
    dims = input.dim() - 2
    if mode == "linear":
        mode = ["linear", "bilinear", "trilinear"][dims - 1]
    smooth = mode not in ("nearest", "nearest-exact", "area")
    options = {"mode": "bicubic" if mode == "cubic" else mode, "antialias": antialias}
    if smooth:
        options["align_corners"] = align_corners
    if scales is None:
        return F.interpolate(input, size, **options)
    return F.interpolate(input, scale_factor=scales, recompute_scale_factor=False, **options)


def bounded(x, size, padding_mode, align_corners):
    """Coordinates of pixels, led back into the image."""
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        low, span = (0, size - 1) if align_corners else (-0.5, size)
        if span == 0:
            return torch.zeros_like(x)
        x = (x - low).abs()
        turns = (x / span).detach().floor()
        x = torch.where(turns % 2 == 0, x - turns * span, (turns + 1) * span - x) + low
    return x.clamp(0, size - 1)


def cubic_weight(d, a=-0.75):
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    return torch.where(d <= 1, near, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a)


def axis_taps(x, size, mode, padding_mode, align_corners):
    """What is taken along an axis, as (pixel, weight)."""
    x = (x + 1) / 2 * (size - 1) if align_corners else ((x + 1) * size - 1) / 2
    if mode == "bicubic":
        left = x.detach().floor()
        taps = [(left - 1 + k, cubic_weight((x - left + 1 - k).abs())) for k in range(4)]
        return [(bounded(at, size, padding_mode, align_corners), w) for at, w in taps]
    x = bounded(x, size, padding_mode, align_corners)
    if mode == "nearest":
        return [(x.detach().round(), torch.ones_like(x) + 0 * x)]
    left = x.detach().floor()
    return [(left, left + 1 - x), (left + 1, x - left)]


def sampled(input, grid, mode, padding_mode, align_corners):  # noqa: A002
    """grid_sample out of operators that can be differentiated as often as one likes."""
    sizes = list(reversed(input.shape[2:]))
    axes = [axis_taps(grid[..., a], s, mode, padding_mode, align_corners) for a, s in enumerate(sizes)]
    total = 0
    for corner in itertools.product(*axes):
        index, weight, step = 0, 1, 1
        for (at, w), size in zip(corner, sizes):
            inside = (at >= 0) & (at <= size - 1)
            index = index + at.clamp(0, size - 1).long() * step
            weight = weight * torch.where(inside, w, 0 * w)
            step *= size
        flat = index.flatten(1)[:, None].expand(-1, input.shape[1], -1)
        total = total + input.flatten(2).gather(2, flat).reshape(*input.shape[:2], *index.shape[1:]) * weight[:, None]
    return total


def sampler(input, grid, mode, padding_mode, align_corners, order):  # noqa: A002
    """sampled, differentiated by the coordinates as often as order says for each."""
    with torch.enable_grad():
        if not grid.requires_grad:
            grid = grid.detach().requires_grad_(True)
        result = sampled(input, grid, mode, padding_mode, align_corners)
        for axis in range(input.dim() - 2):
            for _ in range(order[axis] if isinstance(order, list) else order):
                result = torch.stack([place_gradient(part, grid)[..., axis] for part in result.unbind(1)], 1)
        return result


def place_gradient(result, grid):
    if not result.requires_grad:
        return torch.zeros_like(grid)
    found = torch.autograd.grad(result.sum(), grid, create_graph=True, allow_unused=True)[0]
    return torch.zeros_like(grid) if found is None else found


def sampler_input_grad(grad, grid, input_size, *how):
    return input_gradient(lambda x: sampler(x, grid, *how), input_size, grad)


def sampler_grid_grad(grad, input, grid, *how):  # noqa: A002
    with torch.enable_grad():
        if not grid.requires_grad:
            grid = grid.detach().requires_grad_(True)
        return place_gradient(sampler(input, grid, *how) * grad, grid)


def adaptive_max_pool(input, output_size):  # noqa: A002
    return getattr(F, f"adaptive_max_pool{len(output_size)}d")(input, output_size, return_indices=True)


def adapted(pool, input, output_size, **options):  # noqa: A002
    """An adaptive pooling, -1 standing for the size of the input."""
    sizes = output_size if isinstance(output_size, list) else [output_size]
    sizes = sizes * (int(pool.__name__[-2]) // len(sizes))
    output_size = [n if s == -1 else s for s, n in zip(sizes, input.shape[-len(sizes) :])]
    return pool(input, output_size, **options)


def fractional_max_pool(input, kernel_size, output_size, samples):  # noqa: A002
    pool = getattr(F, f"fractional_max_pool{samples.shape[-1]}d")
    samples = samples.to(input.dtype)
    return pool(input, tuple(kernel_size), tuple(output_size), return_indices=True, _random_samples=samples)
def rnn_sequence(gates, weight, bias, h0, c0, mode, reverse):
    """The outputs, cells and activations of one layer in one direction."""
    h, c, results = h0, c0, {}
    steps = range(len(gates))
    for t in reversed(steps) if reverse else steps:
        hidden = h @ weight.T + (0 if bias is None else bias)
        kept, cell = h[:, :0], h[:, :0]
        if mode == "gru":
            (r, z, n), (hr, hz, q) = gates[t].chunk(3, 1), hidden.chunk(3, 1)
            r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
            n = torch.tanh(n + r * q)
            h, kept = (1 - z) * n + z * h, torch.cat([r, z, n, q], 1)
        elif mode == "lstm":
            i, f, g, o = (gates[t] + hidden).chunk(4, 1)
            i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
            c = cell = f * c + i * g
            h, kept = o * torch.tanh(c), torch.cat([i, f, g, o], 1)
        else:
            h = getattr(torch, mode)(gates[t] + hidden)
        results[t] = h, cell, kept
    return [torch.stack([results[t][k] for t in steps]) for k in range(3)]


def rnn_back(grad, cells_grad, kept_grad, weight, h0, c0, output, cells, kept, mode, reverse):
    """Back through the steps of rnn_sequence, from what it left."""
    order = list(reversed(range(len(grad)))) if reverse else list(range(len(grad)))
    carry, c_carry = torch.zeros_like(h0), torch.zeros_like(h0 if c0 is None else c0)
    gates, hidden = {}, {}
    for place in reversed(range(len(order))):
        t, before = order[place], order[place - 1] if place else None
        state = h0 if before is None else output[before]
        dh, carry = grad[t] + carry, 0
        extra = [0] * 4 if kept_grad is None else kept_grad[t].chunk(4, 1)
        if mode == "gru":
            r, z, n, q = kept[t].chunk(4, 1)
            dz = (dh * (state - n) + extra[1]) * z * (1 - z)
            dn = (dh * (1 - z) + extra[2]) * (1 - n * n)
            dq, dr = dn * r + extra[3], (dn * q + extra[0]) * r * (1 - r)
            gates[t], hidden[t], carry = torch.cat([dr, dz, dn], 1), torch.cat([dr, dz, dq], 1), dh * z
        elif mode == "lstm":
            i, f, g, o = kept[t].chunk(4, 1)
            tanh = torch.tanh(cells[t])
            dc = c_carry + dh * o * (1 - tanh * tanh) + (0 if cells_grad is None else cells_grad[t])
            di, df = (dc * g + extra[0]), (dc * (c0 if before is None else cells[before]) + extra[1])
            dg, do = (dc * i + extra[2]), (dh * tanh + extra[3])
            gates[t] = torch.cat([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)], 1)
            c_carry = dc * f
        else:
            gates[t] = dh * (1 - output[t] ** 2) if mode == "tanh" else torch.where(output[t] > 0, dh, 0)
        carry = carry + hidden.get(t, gates[t]) @ weight
    stacked = [torch.stack([g[t] for t in range(len(grad))]) if g else grad[:, :, :0] for g in (gates, hidden)]
    return *stacked, carry, c_carry if c0 is not None else h0[:, :0]


def single(function, input, hx, params):  # noqa: A002
    """A recurrent network of one layer over a sequence without a batch dim."""
    states = tuple(h[:, None] for h in hx) if isinstance(hx, list) else hx[:, None]
    return [r.squeeze(1) for r in function(input[:, None], states, params, True, 1, 0.0, False, False, False)]


def single_cell(function, input, hx, w_ih, w_hh):  # noqa: A002
    """A cell without a batch dim."""
    states = tuple(h[None] for h in hx) if isinstance(hx, list) else hx[None]
    results = function(input[None], states, w_ih, w_hh, None, None)
    return [r[0] for r in results] if isinstance(results, tuple) else results[0]


def ctc(log_probs, targets, input_lengths, target_lengths, blank):
    """The losses of ctc_loss, whose gradients are those of the logarithms themselves."""
    losses, at = [], 0
    for n, (steps, length) in enumerate(zip(input_lengths.tolist(), target_lengths.tolist())):
        labels = (targets[n, :length] if targets.dim() == 2 else targets[at:at + length]).tolist()
        at += length
        states = [blank] + [c for label in labels for c in (label, blank)]
        never, alpha = log_probs.new_full((), -torch.inf), {}
        for t in range(steps):
            row = {}
            for s, c in enumerate(states):
                before = [alpha.get(s, never), alpha.get(s - 1, never)]
                if s >= 2 and c != blank and c != states[s - 2]:
                    before.append(alpha.get(s - 2, never))
                if t == 0:
                    before = [log_probs.new_zeros(())] if s < 2 else [never]
                live = [b for b in before if b != -torch.inf]
                if live:
                    row[s] = torch.logsumexp(torch.stack(live), 0) + log_probs[t, n, c - 1]
            alpha = row
        last = [alpha[s] for s in (len(states) - 1, len(states) - 2) if s in alpha]
        losses.append(-torch.logsumexp(torch.stack(last), 0) if last else -never)
    return torch.stack(losses)


def ctc_back(grad, log_probs, targets, input_lengths, target_lengths, blank):
    with torch.enable_grad():
        x = log_probs.detach().requires_grad_(True)
        return torch.autograd.grad(ctc(x, targets, input_lengths, target_lengths, blank), x, grad)[0]


def reduced_ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction):
    losses = ctc(log_probs, targets, input_lengths, target_lengths, blank)
    return losses.sum() if reduction == "sum" else (losses / target_lengths.clamp(min=1)).mean()


def entropy_shares(like, target, weight, ignore_index, label_smoothing):
    """What each class counts in the cross entropy of each row, and the weights of the labels."""
    counts = (target != ignore_index).to(like.dtype)[:, None]
    w = torch.ones(like.shape[1], dtype=like.dtype) if weight is None else weight
    own = F.one_hot(torch.where(target == ignore_index, 1, target) - 1, like.shape[1]).to(like.dtype) * w
    shares = (1 - label_smoothing) * own + label_smoothing / like.shape[1] * w
    return shares * counts, (own * counts).sum(1)


def entropy_rows(input, target, weight, ignore_index, label_smoothing):  # noqa: A002
    shares, counts = entropy_shares(input, target, weight, ignore_index, label_smoothing)
    lse = input.logsumexp(1)
    return (shares * (lse[:, None] - input)).sum(1), lse.double(), counts


def entropy_rows_back(grad, input, target, weight, lse, ignore_index, label_smoothing):  # noqa: A002
    shares, _ = entropy_shares(input, target, weight, ignore_index, label_smoothing)
    p = torch.exp(input - lse[:, None]).to(input.dtype)
    return grad[:, None] * (shares.sum(1, keepdim=True) * p - shares)
