--- Samples of attention.

local values = require "tests.harness.values"

local random, literal, mask = values.random, values.literal, values.mask

local inf = math.huge

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function copies(list, fields)
    local copy = {}
    for i, sample in ipairs(list) do
        copy[i] = {sample[1]}
        for key, value in pairs(fields) do
            copy[i][key] = value
        end
    end
    return copy
end

local function join(...)
    local all = {}
    for _, list in ipairs {...} do
        table.move(list, 1, #list, #all + 1, all)
    end
    return all
end

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

--- Samples of attend; half types give float32 sums, so that they are samples of their own.
local function attended()
    local list = {
        {{query = small(1, 2, 3, 4), key = small(1, 2, 5, 4), value = small(1, 2, 5, 3), scale = 0.5}},
        {{query = small(2, 2, 3, 2), key = small(2, 1, 4, 2), value = small(2, 1, 4, 2), bias = small(1, 2, 3, 4),
            scale = 0.5}},
        {{query = small(1, 2, 4, 2), key = small(1, 2, 3, 2), value = small(1, 2, 3, 2), scale = 1.0,
            is_causal = true}},
        {{query = small(1, 1, 2, 2), key = small(1, 1, 2, 2), value = small(1, 1, 2, 2), bias = small(1, 1, 1, 2),
            scale = 1.0}},
        {{query = small(0, 2, 3, 4), key = small(0, 2, 5, 4), value = small(0, 2, 5, 3), scale = 0.5}},
    }
    return with(join(copies(list, {dtypes = "wide"}), copies(list, {dtypes = "float16 bfloat16", grad = false}), {
        {{query = small(1, 1, 40, 4), key = small(1, 1, 150, 4), value = small(1, 1, 150, 4), scale = 0.5},
            dtypes = "wide", grad = false},
        {{query = small(), key = small(), value = small(), scale = 1.0}, error = "must have 4 dims, got shapes scalar"},
        {{query = small(1, 2, 3, 4), key = small(1, 2, 5, 3), value = small(1, 2, 5, 3), scale = 0.5},
            error = "key must have shape 1x2x5x4, got 1x2x5x3$"},
        {{query = small(1, 3, 3, 4), key = small(1, 2, 5, 4), value = small(1, 2, 5, 3), scale = 0.5},
            error = "the 3 heads of query must be a multiple of the 2 of key$"},
        {{query = small(1, 2, 3, 4), key = small(1, 2, 5, 4), value = small(1, 2, 5, 3), bias = small(1, 2, 3, 4),
            scale = 0.5}, error = "bias must have shape 1x2x3x5, or 1 in any dim, got 1x2x3x4$"},
    }), {torch = "attend(query, key, value, bias, scale, is_causal)", rtol = 4e-6})
end

local function backwards()
    local function args(half, more)
        local sums = half and "float32" or nil
        return with({
            grad = small(1, 2, 3, 3), query = small(1, 2, 3, 2), key = small(1, 1, 4, 2), value = small(1, 1, 4, 3),
            output = small(1, 2, 3, 3), lse = random {1, 2, 3, low = 1, high = 3, dtype = sums}, scale = 0.5,
        }, more)
    end
    local function both(half)
        return {
            {args(half, {})},
            {args(half, {bias = small(1, 2, 3, 4), lse_grad = random {1, 2, 3, low = -2, high = 2,
                dtype = half and "float32" or nil}})},
            {args(half, {is_causal = true})},
        }
    end
    return with(join(copies(both(false), {dtypes = "wide"}), copies(both(true), {dtypes = "float16 bfloat16",
        grad = false}), {
        {{grad = small(1, 0, 3, 3), query = small(1, 0, 3, 2), key = small(1, 1, 4, 2), value = small(1, 1, 4, 3),
            output = small(1, 0, 3, 3), lse = small(1, 0, 3), scale = 0.5}, dtypes = "wide"},
        {{grad = small(), query = small(1, 2, 3, 2), key = small(1, 2, 4, 2), value = small(1, 2, 4, 3),
            output = small(1, 2, 3, 3), lse = small(1, 2, 3), scale = 0.5},
            error = "grad must have shape 1x2x3x3, got scalar"},
        {{grad = small(1, 2, 3, 3), query = small(1, 2, 3, 2), key = small(1, 2, 4, 2), value = small(1, 2, 4, 3),
            output = small(1, 2, 3, 4), lse = small(1, 2, 3), scale = 0.5},
            error = "output must have shape 1x2x3x3, got 1x2x3x4$"},
    }), {
        torch = "attend_backward(grad, query, key, value, bias, output, lse, lse_grad, scale, is_causal)",
        rtol = 4e-6,
    })
end

local sdpa = "F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, " ..
    "enable_gqa=enable_gqa)"

return {
    attend = attended(),
    attend_backward = backwards(),
    scaled_dot_product_attention = {
        torch = sdpa,
        dtypes = "float",
        rtol = 4e-6,
        {{query = small(2, 2, 3, 4), key = small(2, 2, 5, 4), value = small(2, 2, 5, 3)}},
        {{query = small(3, 4), key = small(5, 4), value = small(5, 3), attn_mask = mask {3, 5}},
            torch = "blind_to_zero(query, key, value, attn_mask)"},
        {{query = small(2, 3, 4), key = small(2, 3, 4), value = small(2, 3, 4), is_causal = true, scale = 0.25}},
        {{query = small(2, 2, 3, 4), key = small(2, 2, 5, 4), value = small(2, 2, 5, 3),
            attn_mask = small(2, 1, 1, 5)}},
        {{query = small(1, 4, 3, 2), key = small(1, 2, 3, 2), value = small(1, 2, 3, 2), enable_gqa = true}},
        {{query = small(2, 1, 2, 3, 2), key = small(2, 2, 3, 2), value = small(3, 2), attn_mask = small(2, 3, 3)},
            torch = "F.scaled_dot_product_attention(query, key.expand(2, 2, 2, 3, 2), value.expand(2, 2, 2, 3, 2), " ..
                "attn_mask.expand(2, 2, 2, 3, 3))", second = false},
        {{query = small(1, 3, 3), key = small(1, 2, 3), value = small(1, 2, 3), attn_mask = literal({{0.0, -inf},
            {0.0, 0.0}, {-inf, -inf}}, {grad = false})}},
        {{query = small(0, 3, 4), key = small(0, 5, 4), value = small(0, 5, 3)}},
        {{query = small(1, 3, 4), key = small(1, 0, 4), value = small(1, 0, 3)}, torch = "query[..., :3] * 0"},
        {{query = small(), key = small(), value = small()}, error = "must have 2 dims or more, got shapes scalar"},
        {{query = small(3, 4), key = small(5, 3), value = small(5, 3)},
            error = "do not fit: got shapes 3x4, 5x3 and 5x3$"},
        {{query = small(3, 4), key = small(5, 4), value = small(5, 3), attn_mask = small(3, 4)},
            error = "attn_mask must broadcast to shape 3x5, got 3x4$"},
        {{query = small(3, 4), key = small(3, 4), value = small(3, 4), attn_mask = small(3, 3), is_causal = true},
            error = "attn_mask and is_causal cannot both be given"},
        {{query = small(3, 4), key = small(3, 4), value = small(3, 4), dropout_p = 1.5},
            error = "dropout_p must be in %[0, 1%], got 1.5$"},
        {{query = small(2, 3, 4), key = small(3, 3, 4), value = small(3, 3, 4)}, error = "do not broadcast: query"},
    },
}
