local tocha = require "tocha"
local expect = require "tests.support.expect"

local message, values = expect.message, expect.values

--- What a norm does to every set of elements, from its definition.
local function by_definition(x, dims, eps)
    local centred = x - x:mean(dims, true)
    return centred / (centred:square():mean(dims, true) + eps):sqrt()
end

local function close(a, b, tolerance)
    return (a - b):abs():max():item() < tolerance
end

describe("a norm", function()
    it("agrees with its definition at the sizes of networks, in parts and at once", function()
        tocha.manual_seed(3)
        local x = tocha.randn(70, 24, 9, 11) * 3 + 5
        assert.is_true(close(tocha.layer_norm(x, {9, 11}), by_definition(x, {3, 4}, 1e-5), 2e-5))
        assert.is_true(close(tocha.instance_norm(x), by_definition(x, {3, 4}, 1e-5), 2e-5))
        assert.is_true(close(tocha.batch_norm(x, {training = true}), by_definition(x, {1, 3, 4}, 1e-5), 2e-5))
        local grouped = by_definition(x:reshape(70, 4, 6 * 99), {3}, 1e-5):reshape(x.shape)
        assert.is_true(close(tocha.group_norm(x, 4), grouped, 2e-5))
        local flat = x:reshape(70 * 99, 24)
        assert.is_true(close(tocha.batch_norm(flat, {training = true}), by_definition(flat, {1}, 1e-5), 2e-5))
        assert.is_true(close(tocha.layer_norm(flat, {24}), by_definition(flat, {2}, 1e-5), 2e-5))
    end)

    it("gives weights gradients that do not depend on how rows are shared out", function()
        tocha.manual_seed(4)
        local x, w, b = tocha.randn(5000, 48), tocha.rand(48):requires_grad_(), tocha.rand(48):requires_grad_()
        local g = tocha.randn(5000, 48)
        tocha.layer_norm(x, {48}, w, b):backward(g)
        local normal = by_definition(x:double(), {2}, 1e-5)
        assert.is_true(close(w.grad:double(), (normal * g:double()):sum(1), 2e-3))
        assert.is_true(close(b.grad:double(), g:double():sum(1), 2e-3))
        local first = w.grad:clone()
        w.grad = nil
        tocha.layer_norm(x, {48}, w, b):backward(g)
        assert.is_true(w.grad == first)
    end)

    it("keeps the digits of values far from 0", function()
        local x = tocha.tensor({{1000001., 1000003.}})
        values({{-1, 1}}, tocha.layer_norm(x, {2}, {eps = 0}))
    end)

    it("moves the running statistics in training alone", function()
        local mean, var = tocha.zeros(2), tocha.ones(2)
        local x = tocha.tensor({{1., 10}, {3., 30}})
        tocha.batch_norm(x, mean, var, {training = true, momentum = 0.5})
        values({1, 10}, mean)
        values({1.5, 100.5}, var, nil, 1e-4)
        tocha.batch_norm(x, mean, var)
        values({1, 10}, mean)
        local doubles = tocha.zeros(2, {dtype = "float64"})
        tocha.batch_norm(x, doubles, doubles:clone(), {training = true, momentum = 1})
        values({2, 20}, doubles)
    end)

    it("says what does not fit", function()
        local x = tocha.zeros(2, 3)
        assert.equal("layer_norm: normalized_shape must be the sizes of input's last dims; input has shape 2x3, "
            .. "normalized_shape is 2", message(tocha.layer_norm, x, {2}))
        assert.equal("layer_norm: input is float32 and weight is float64; convert one with :to(\"float32\")",
            message(tocha.layer_norm, x, {3}, tocha.ones(3, {dtype = "float64"})))
        assert.equal("batch_norm: input must be float16, bfloat16, float32, float64, got int64; convert it with "
            .. ":to(\"float32\")", message(tocha.batch_norm, x:to("int64"), {training = true}))
    end)
end)
