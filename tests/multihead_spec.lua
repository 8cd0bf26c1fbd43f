local tocha = require "tocha"
local nn = require "nn"
local expect = require "tests.support.expect"

local message = expect.message

local function close(a, b)
    return (a - b):abs():max():item() < 1e-5
end

describe("attention of several heads", function()
    local forward = nn.functional.multi_head_attention_forward

    local function given(more)
        tocha.manual_seed(14)
        local o = {
            query = tocha.randn(5, 2, 8), key = tocha.randn(6, 2, 8), value = tocha.randn(6, 2, 8),
            embed_dim_to_check = 8, num_heads = 2, in_proj_weight = tocha.randn(24, 8) * 0.3,
            in_proj_bias = tocha.randn(24), out_proj_weight = tocha.randn(8, 8) * 0.3, out_proj_bias = tocha.randn(8),
        }
        for name, value in pairs(more or {}) do
            o[name] = value
        end
        return o
    end

    --- Head by head, from the definition.
    local function by_definition(o, hidden)
        local w, b, outs = o.in_proj_weight, o.in_proj_bias, {}
        for n = 1, 2 do
            local heads = {}
            for h = 1, 2 do
                local function part(x, which)
                    local first = (which - 1) * 8 + (h - 1) * 4
                    return x:select(2, n):matmul(w:narrow(1, first + 1, 4):t()) + b:narrow(1, first + 1, 4)
                end
                local scores = part(o.query, 1):matmul(part(o.key, 2):t()) / 2
                if hidden then
                    scores = scores:masked_fill(hidden(n), -math.huge)
                end
                heads[h] = scores:softmax(2):matmul(part(o.value, 3))
            end
            outs[n] = tocha.linear(tocha.cat(heads, 2), o.out_proj_weight, o.out_proj_bias)
        end
        return tocha.stack(outs, 2)
    end

    it("is attention head by head, with weights or without", function()
        local o = given()
        local expected = by_definition(o)
        local out, weights = forward(o)
        assert.is_true(close(out, expected))
        assert.equal("2x5x6", tostring(weights.shape))
        assert.is_true(close(weights:sum(3), tocha.ones(2, 5)))
        local plain, none = forward(given {need_weights = false})
        assert.is_true(close(plain, expected))
        assert.is_nil(none)
        assert.equal("2x2x5x6", tostring(select(2, forward(given {average_attn_weights = false})).shape))
    end)

    it("hides keys", function()
        local padding = tocha.tensor({{false, false, false, false, true, true}, {false, true, false, false, false,
            false}})
        local causal = tocha.ones(5, 6):tril():eq(0)
        for _, need in ipairs {true, false} do
            local o = given {key_padding_mask = padding, attn_mask = causal, need_weights = need}
            assert.is_true(close((forward(o)), by_definition(o, function(n)
                return causal:logical_or(padding[n])
            end)))
            o = given {is_causal = true, need_weights = need}
            assert.is_true(close((forward(o)), by_definition(o, function() return causal end)))
        end
    end)

    it("appends a key and zeros, and takes one sequence", function()
        local o = given {bias_k = tocha.randn(1, 1, 8), bias_v = tocha.randn(1, 1, 8), add_zero_attn = true}
        local out, weights = forward(o)
        assert.equal("2x5x8", tostring(weights.shape))
        assert.is_true(close(out, (forward(given {bias_k = o.bias_k, bias_v = o.bias_v, add_zero_attn = true,
            need_weights = false}))))
        local whole, one = given(), given()
        one.query, one.key, one.value = one.query:select(2, 1), one.key:select(2, 1), one.value:select(2, 1)
        assert.is_true(close((forward(one)), (forward(whole)):select(2, 1)))
    end)

    it("is a module", function()
        local layer = nn.MultiheadAttention(8, 2, {batch_first = true})
        local x = tocha.randn(3, 4, 8)
        local out, weights = layer(x, x, x)
        assert.equal("3x4x8", tostring(out.shape))
        assert.equal("3x4x4", tostring(weights.shape))
        out:sum():backward()
        for _, p in ipairs(layer:parameters()) do
            assert.is_truthy(p.grad)
        end
        assert.matches("num_heads must divide", message(nn.MultiheadAttention, 8, 3))
    end)
end)

describe("triplet_margin_with_distance_loss", function()
    it("takes a distance", function()
        local a, p, n = tocha.randn(4, 3), tocha.randn(4, 3), tocha.randn(4, 3)
        local f = nn.functional.triplet_margin_with_distance_loss
        assert.is_true(close(f(a, p, n), tocha.triplet_margin_loss(a, p, n)))
        local function block(x, y) return (x - y):abs():sum(2) end
        local expected = (block(a, p) - block(a, n):minimum(block(p, n)) + 2):clamp(0):sum()
        assert.is_true(close(f(a, p, n, {distance_function = block, margin = 2, swap = true, reduction = "sum"}),
            expected))
        assert.matches("give them one shape", message(f, a, p, n:reshape(3, 4)))
    end)
end)
