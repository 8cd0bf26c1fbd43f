--- Activation functions: what the harness does not show.

local tocha = require "tocha"
local nn = require "nn"

local F = nn.functional

describe("activation functions", function()
    it("are names of nn.functional, in place too", function()
        local x = tocha.tensor({-2.0, 0.5, 9.0})
        for _, name in ipairs {"relu", "elu", "hardtanh", "leaky_relu", "rrelu", "selu", "celu"} do
            local y = x:clone()
            assert.is_true(rawequal(y, F[name .. "_"](y)), name)
            assert.is_true(y:equal(F[name](x)), name)
        end
        assert.is_true(F.threshold_(x:clone(), 1, 2):equal(F.threshold(x, 1, 2)))
    end)

    it("tend to 0 at -inf and have slopes there", function()
        for _, name in ipairs {"silu", "mish", "gelu"} do
            local x = tocha.tensor({-math.huge, math.huge, -1e30, 1e30}):requires_grad_()
            local y = F[name](x)
            assert.are.same({0, math.huge}, y:detach():narrow(1, 1, 2):tolist(), name)
            y:sum():backward()
            assert.are.same({0, 1, 0, 1}, x.grad:tolist(), name)
        end
    end)

    it("keep third gradients of smooth ones", function()
        local x = tocha.tensor(0.7, {dtype = "float64"}):requires_grad_()
        local y = F.silu(x)
        local g1 = tocha.grad(y, {x}, {create_graph = true})[1]
        local g2 = tocha.grad(g1, {x}, {create_graph = true})[1]
        local g3 = tocha.grad(g2, {x})[1]:item()
        local function second(v)
            local at = tocha.tensor(v, {dtype = "float64"}):requires_grad_()
            local first = tocha.grad(F.silu(at), {at}, {create_graph = true})[1]
            return tocha.grad(first, {at})[1]:item()
        end
        assert.is_true(math.abs(g3 - (second(0.7 + 1e-5) - second(0.7 - 1e-5)) / 2e-5) < 1e-8)
    end)

    it("draw the slopes of rrelu between its bounds", function()
        tocha.manual_seed(3)
        local slopes = -F.rrelu(tocha.full({2000}, -1.0), 0.25, 0.5, true)
        assert.is_true(slopes:min():item() >= 0.25 and slopes:max():item() <= 0.5)
        assert.is_true(math.abs(slopes:mean():item() - 0.375) < 0.01)
        assert.are.equal(-0.375, F.rrelu(tocha.tensor(-1.0), 0.25, 0.5):item())
    end)

    it("draw Gumbel softmax samples as often as their probabilities say", function()
        tocha.manual_seed(5)
        local logits = tocha.tensor({math.log(0.2), math.log(0.5), math.log(0.3)}):expand({4000, 3})
        local hard = F.gumbel_softmax(logits, {hard = true})
        assert.are.equal(4000, hard:sum():item())
        local share = hard:mean(1):tolist()
        for i, expected in ipairs {0.2, 0.5, 0.3} do
            assert.is_true(math.abs(share[i] - expected) < 0.03)
        end
        local soft = F.gumbel_softmax(logits, 0.5)
        assert.is_true(tocha.allclose(soft:sum(2), tocha.ones(4000)))
    end)

    it("let hard Gumbel samples learn through the soft ones", function()
        local logits = tocha.zeros(2, 3):requires_grad_()
        local hard = F.gumbel_softmax(logits, {hard = true})
        assert.is_true(tocha.allclose(hard:detach():amax(2), tocha.ones(2)))
        hard:mul(tocha.tensor({1.0, 2.0, 3.0})):sum():backward()
        assert.is_true(logits.grad:abs():sum():item() > 0)
    end)

    it("give prelu's weight its gradient for each channel", function()
        local x = tocha.tensor({{{-1.0, -2.0}, {3.0, -4.0}}})
        local w = tocha.tensor({0.5, 0.25}):requires_grad_()
        F.prelu(x, w):sum():backward()
        assert.are.same({-3, -4}, w.grad:tolist())
    end)
end)
