local tocha = require "tocha"
local expect = require "tests.support.expect"

local values = expect.values
local t = tocha.tensor

describe("embedding", function()
    it("scales the rows it reads down to max_norm, in place", function()
        local weight = t({{3., 4}, {0.3, 0.4}, {6, 8}}):requires_grad_()
        values({{0.6, 0.8}, {0.3, 0.4}}, tocha.embedding(t({1, 2}), weight, {max_norm = 1}), nil, 1e-6)
        values({{0.6, 0.8}, {0.3, 0.4}, {6, 8}}, weight, nil, 1e-6)
    end)

    it("divides gradients by how often a row is read", function()
        local weight = tocha.zeros(3, 1):requires_grad_()
        tocha.embedding(t({1, 3, 3, 3}), weight, {scale_grad_by_freq = true}):sum():backward()
        values({{1}, {0}, {1}}, weight.grad, nil, 1e-6)
    end)
end)

describe("a bag of rows", function()
    it("gives zeros where it is empty", function()
        local weight = t({{1., 2}, {3, 4}})
        for _, mode in ipairs {"sum", "mean", "max"} do
            values({{1, 2}, {0, 0}, {3, 4}},
                tocha.embedding_bag(t({1, 2}), weight, t({1, 2, 2}), {mode = mode}))
        end
    end)
end)

describe("dropout of channels", function()
    it("keeps a channel whole or not at all", function()
        tocha.manual_seed(11)
        for name, shape in pairs {dropout1d = {50, 8, 3}, dropout2d = {50, 8, 3, 2}, dropout3d = {50, 8, 3, 2, 2}} do
            local out = tocha[name](tocha.ones(shape), 0.25, true):reshape(400, -1)
            assert.is_true(out:amax(2) == out:amin(2), name)
            local kept = out:select(2, 1):gt(0):float():mean():item()
            assert.is_true(kept > 0.65 and kept < 0.85, name)
            assert.is_true((out:amax() - 1 / 0.75):abs():item() < 1e-6, name)
        end
    end)

    it("that keeps mean and variance does", function()
        tocha.manual_seed(12)
        local x = tocha.randn(200000)
        local out = tocha.alpha_dropout(x, 0.3, true)
        assert.is_true(math.abs(out:mean():item()) < 0.02)
        assert.is_true(math.abs(out:var():item() - 1) < 0.02)
        local channels = tocha.feature_alpha_dropout(tocha.zeros(40, 30, 4), 0.5, true):reshape(1200, 4)
        assert.is_true(channels:amax(2) == channels:amin(2))
        assert.is_true(channels:amax():item() > channels:amin():item())
    end)
end)
