--- Attention with several heads, as a function of its weights.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local forward_spec = {
    {"query", "tensor"},
    {"key", "tensor"},
    {"value", "tensor"},
    {"embed_dim_to_check", "count"},
    {"num_heads", "count"},
    {"in_proj_weight", "tensor", optional = true},
    {"in_proj_bias", "tensor", optional = true},
    {"bias_k", "tensor", optional = true},
    {"bias_v", "tensor", optional = true},
    {"add_zero_attn", "boolean", false},
    {"dropout_p", "share", 0.0},
    {"out_proj_weight", "tensor"},
    {"out_proj_bias", "tensor", optional = true},
    {"training", "boolean", true},
    {"key_padding_mask", "tensor", optional = true},
    {"need_weights", "boolean", true},
    {"attn_mask", "tensor", optional = true},
    {"use_separate_proj_weight", "boolean", false},
    {"q_proj_weight", "tensor", optional = true},
    {"k_proj_weight", "tensor", optional = true},
    {"v_proj_weight", "tensor", optional = true},
    {"static_k", "tensor", optional = true},
    {"static_v", "tensor", optional = true},
    {"average_attn_weights", "boolean", true},
    {"is_causal", "boolean", false},
}

local who = "multi_head_attention_forward"

local function check(o)
    local dims, e = o.query:dim(), o.embed_dim_to_check
    if (dims ~= 2 and dims ~= 3) or o.key:dim() ~= dims or o.value:dim() ~= dims then
        raise("%s: query, key and value must be (L, N, E) or (L, E), got shapes %s, %s and %s", who,
            tostring(o.query.shape), tostring(o.key.shape), tostring(o.value.shape))
    elseif o.query:size(-1) ~= e then
        raise("%s: query's last size must be %d, got shape %s", who, e, tostring(o.query.shape))
    elseif e % o.num_heads ~= 0 then
        raise("%s: num_heads must divide %d, got %d", who, e, o.num_heads)
    elseif o.use_separate_proj_weight and not (o.q_proj_weight and o.k_proj_weight and o.v_proj_weight) then
        raise("%s: use_separate_proj_weight needs q_proj_weight, k_proj_weight and v_proj_weight", who)
    elseif not o.use_separate_proj_weight and not o.in_proj_weight then
        raise("%s: in_proj_weight is missing: a tensor", who)
    elseif not o.bias_k ~= not o.bias_v then
        raise("%s: bias_k and bias_v must be given together", who)
    end
end

--- What query, key and value become before they are cut into heads.
local function project(o)
    local e = o.embed_dim_to_check
    local weights = o.use_separate_proj_weight and {o.q_proj_weight, o.k_proj_weight, o.v_proj_weight} or
        o.in_proj_weight:split(e)
    local biases = o.in_proj_bias and o.in_proj_bias:split(e) or {}
    return core.linear(o.query, weights[1], biases[1]), core.linear(o.key, weights[2], biases[2]),
        core.linear(o.value, weights[3], biases[3])
end

--- (L, N, E) as (N, heads, L, E / heads).
local function cut(x, heads)
    local length, batch = x:size(1), x:size(2)
    return x:reshape(length, batch, heads, x:size(3) // heads):permute(2, 3, 1, 4)
end

--- One more key that no mask hides. x: (N, heads, S, d); more: (N, heads, 1, d).
local function append(x, more)
    return core.cat({x, more}, 3)
end

--- A mask, true where a key is hidden or numbers to add, as numbers in dtype.
local function as_numbers(mask, dtype)
    if mask.dtype ~= "bool" then
        return mask:to(dtype)
    end
    return core.zeros(mask.shape, {dtype = dtype, device = mask.device}):masked_fill(mask, -math.huge)
end

--- The masks as one that is added to the scores (N, heads, L, S), or nil. extra: keys that were appended.
local function join_masks(o, q, keys, extra)
    local batch, heads, length = q:size(1), q:size(2), q:size(3)
    local sum
    local function add(mask)
        if extra > 0 then
            local shape = {table.unpack(mask.shape)}
            shape[#shape] = extra
            mask = core.cat({mask, core.zeros(shape, {dtype = mask.dtype, device = mask.device})}, -1)
        end
        sum = sum and sum + mask or mask
    end
    local mask = o.attn_mask
    if not mask and o.is_causal then
        mask = core.ones(length, keys, {device = q.device}):tril():eq(0)
    end
    if mask then
        mask = as_numbers(mask, q.dtype)
        add(mask:dim() == 3 and mask:reshape(batch, heads, length, keys) or mask:reshape(1, 1, length, keys))
    end
    if o.key_padding_mask then
        add(as_numbers(o.key_padding_mask, q.dtype):reshape(batch, 1, 1, keys))
    end
    return sum
end

--- Attention by its weights, which are wanted.
local function with_weights(q, k, v, mask, dropout_p)
    local scores = q:matmul(k:transpose(-2, -1)) * (1 / q:size(4) ^ 0.5)
    local weights = (mask and scores + mask or scores):softmax(-1)
    if dropout_p > 0 then
        weights = core.dropout(weights, dropout_p, true)
    end
    return weights:matmul(v), weights
end

--- Attention of several heads (Vaswani et al., NeurIPS 2017), given all weights; arguments in PyTorch's order, or by
--- name in a table behind some of them. query: (L, N, E) or (L, E), key and value: (S, N, ...) or (S, ...);
--- in_proj_weight: (3 * E, E), in_proj_bias: (3 * E), or q_, k_ and v_proj_weight with use_separate_proj_weight;
--- bias_k and bias_v: (1, 1, E), one more key and value; attn_mask: (L, S) or (N * heads, L, S), key_padding_mask:
--- (N, S), true where a key is hidden, or numbers to add. Returns the output (L, N, E) or (L, E), and with
--- need_weights the weights (N, L, S), of each head (N, heads, L, S) unless average_attn_weights.
local function forward(...)
    local o = options.read(who, forward_spec, ...)
    check(o)
    local single = o.query:dim() == 2
    if single then
        o.query, o.key, o.value = o.query:unsqueeze(2), o.key:unsqueeze(2), o.value:unsqueeze(2)
    end
    local e, heads, batch, length = o.embed_dim_to_check, o.num_heads, o.query:size(2), o.query:size(1)
    local q, k, v = project(o)
    q, k, v = cut(q, heads), cut(k, heads), cut(v, heads)
    if o.static_k then
        k = o.static_k:reshape(batch, heads, -1, e // heads)
    end
    if o.static_v then
        v = o.static_v:reshape(batch, heads, -1, e // heads)
    end
    local keys, extra = k:size(3), 0
    if o.bias_k then
        local one = {batch, heads, 1, e // heads}
        k = append(k, o.bias_k:reshape(1, heads, 1, e // heads):expand(one))
        v = append(v, o.bias_v:reshape(1, heads, 1, e // heads):expand(one))
        extra = extra + 1
    end
    if o.add_zero_attn then
        local none = core.zeros({batch, heads, 1, e // heads}, {dtype = q.dtype, device = q.device})
        k, v, extra = append(k, none), append(v, none), extra + 1
    end
    local mask = join_masks(o, q, keys, extra)
    local dropout_p = o.training and o.dropout_p or 0.0
    local out, weights
    if o.need_weights then
        out, weights = with_weights(q, k, v, mask, dropout_p)
    else
        out = core.scaled_dot_product_attention(q, k, v, mask, dropout_p)
    end
    out = core.linear(out:permute(3, 1, 2, 4):reshape(length, batch, e), o.out_proj_weight, o.out_proj_bias)
    weights = weights and o.average_attn_weights and weights:mean(2) or weights
    if single then
        return out:squeeze(2), weights and weights:squeeze(1)
    end
    return out, weights
end

return forward
