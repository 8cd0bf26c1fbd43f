local tocha = require "tocha"
local expect = require "tests.support.expect"

local message = expect.message
local attention = tocha.scaled_dot_product_attention

local function close(a, b, tolerance)
    return (a - b):abs():max():item() < tolerance
end

--- Attention from its definition, over the whole matrix of scores. seen: bool (L, S), or nil.
local function by_definition(query, key, value, seen)
    local scores = query:matmul(key:transpose(-2, -1)) / query:size(-1) ^ 0.5
    if seen then
        scores = tocha.where(seen, scores, -math.huge)
    end
    return scores:softmax(-1):matmul(value)
end

describe("attention", function()
    it("in tiles gives what the whole matrix gives, forward and backward", function()
        tocha.manual_seed(5)
        for _, dtype in ipairs {"float32", "float64"} do
            for _, sizes in ipairs {{67, 130, 24, 40}, {300, 300, 64, 64}, {1, 257, 7, 5}} do
                local l, s, e, v = table.unpack(sizes)
                local function leaf(...)
                    return tocha.randn(...):to(dtype):requires_grad_()
                end
                local leaves = {leaf(2, 2, l, e), leaf(2, 2, s, e), leaf(2, 2, s, v)}
                local g = tocha.randn(2, 2, l, v):to(dtype)
                for _, causal in ipairs {false, true} do
                    local seen = causal and tocha.ones(l, s):tril():gt(0) or nil
                    local q, k, w = table.unpack(leaves)
                    local out = attention(q, k, w, {is_causal = causal})
                    local expected = by_definition(q, k, w, seen)
                    local tolerance = dtype == "float32" and 2e-5 or 1e-12
                    assert.is_true(close(out, expected, tolerance))
                    local grads = tocha.grad((out * g):sum(), leaves)
                    for i, whole in ipairs(tocha.grad((expected * g):sum(), leaves)) do
                        assert.is_true(close(grads[i], whole, tolerance))
                    end
                end
            end
        end
    end)

    it("shares the heads of keys in groups and broadcasts what is before", function()
        tocha.manual_seed(6)
        local q, k, v = tocha.randn(2, 6, 9, 8), tocha.randn(2, 3, 11, 8), tocha.randn(2, 3, 11, 8)
        local expected = attention(q, k:repeat_interleave(2, 2), v:repeat_interleave(2, 2))
        assert.is_true(close(attention(q, k, v, {enable_gqa = true}), expected, 1e-6))
        assert.equal("2x6x9x8", tostring(attention(q, k:select(1, 1):select(1, 1), v:select(1, 1):select(1, 1)).shape))
        assert.matches("query's heads are no multiple", message(attention, q, k:narrow(2, 1, 1):expand(2, 4, 11, 8),
            v:narrow(2, 1, 1):expand(2, 4, 11, 8), {enable_gqa = true}))
    end)

    it("needs no room for the scores of a long sequence", function()
        local q = tocha.randn(1, 1, 4096, 16)
        collectgarbage()
        collectgarbage()
        tocha.reset_peak_memory_stats()
        local before = tocha.memory_stats().live
        local out <close> = attention(q, q, q, {is_causal = true})
        assert.is_true(out:isfinite():all():item())
        assert.is_true(tocha.memory_stats().peak - before < 4096 * 4096 * 4 / 8)
    end)

    it("drops weights, so that the mean stays", function()
        tocha.manual_seed(7)
        local q, v = tocha.zeros(1, 2000, 4), tocha.ones(1, 50, 2)
        local out = attention(q, tocha.zeros(1, 50, 4), v, {dropout_p = 0.5})
        assert.is_true(math.abs(out:mean():item() - 1) < 0.02)
        assert.is_true(out:std():item() > 0.05)
        local none = attention(q, tocha.zeros(1, 50, 4), v, {dropout_p = 0.5,
            attn_mask = tocha.zeros(1, 50):gt(0)})
        assert.equal(0, none:abs():max():item())
    end)
end)
