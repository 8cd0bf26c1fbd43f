"""What PyTorch has no single call for among the operators of neural networks, as in spelled.py."""

import itertools

import torch
import torch.nn.functional as F  # noqa: N812

from spelled import input_gradient

__all__ = [
    "adapted",
    "adaptive_max_pool",
    "attend",
    "attend_backward",
    "blind_to_zero",
    "ctc",
    "ctc_back",
    "distances",
    "entropy_rows",
    "entropy_rows_back",
    "fractional_max_pool",
    "reduced_ctc",
    "resample",
    "rnn_back",
    "rnn_sequence",
    "sampler",
    "sampler_grid_grad",
    "sampler_input_grad",
    "single",
    "single_cell",
    "standardize",
    "standardize_backward",
    "wide_response_norm",
]


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
