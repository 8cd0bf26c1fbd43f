local tocha = require "tocha"
local elements = require "tests.support.elements"
local gradcheck = require "tests.support.gradcheck"

local equal, near, tensor = elements.equal, elements.near, elements.tensor
local numbers = elements.numbers

describe("gradients", function()
    local x = numbers(6, 0.3, 1.7):view(2, 3)
    local y = numbers(3, 0.4, 1.2)

    local function checked(name, fn, inputs)
        it("of " .. name .. " are right to second order", function()
            gradcheck.check(fn, inputs)
        end)
    end

    for _, name in ipairs {"neg", "exp", "log", "sqrt", "tanh", "sigmoid", "sin", "cos", "square", "reciprocal"} do
        checked(name, function(a) return a[name](a * a) end, {x})
    end
    for _, name in ipairs {"abs", "relu"} do
        checked(name, function(a) return a[name](a * a - 1) end, {x})
    end
    for _, name in ipairs {"add", "sub", "mul", "div", "pow", "maximum", "minimum"} do
        checked(name, function(a, b) return a[name](a * a, b * b) end, {x, y})
        checked(name .. " the other way", function(a, b) return a[name](b * b, a * a) end, {x, y})
    end
    checked("add with alpha", function(a, b) return (a * a):add(b * b, 2.5) end, {x, y})
    checked("sub with alpha", function(a, b) return (a * a):sub(b * b, 3) end, {x, y})
    checked("powers", function(a) return (a ^ 3 + a ^ 0.5 + 2 ^ a + a ^ -1.5) end, {x})
    checked("remainder", function(a, b) return (a * a * 3):remainder(b * b) end, {x, y})
    checked("where", function(a, b) return tocha.where(a:gt(1), a * a, b * b) end, {x, y})
    checked("clamp", function(a) return (a * a):clamp(0.5, 1.5) end, {x})
    checked("masked_fill", function(a) return (a * a):masked_fill(x:gt(1), 3) end, {x})
    checked("masked_fill's value", function(a, v)
        return (a * a):masked_fill(x:gt(1), v * v)
    end, {x, tensor(0.7, "float64")})
    checked("copy", function(a) return tocha.copy(x, a * a) end, {y})
    checked("clone", function(a) return (a * a):clone() end, {x})
    checked("tanh_backward", function(a, b) return tocha.tanh_backward(a, b) end, {x, x + 0.1})
    checked("sigmoid_backward", function(a, b) return tocha.sigmoid_backward(a, b) end, {x, x + 0.1})
    checked("relu_backward", function(a) return tocha.relu_backward(a * a, x - 1) end, {x})

    it("go through casts", function()
        local a = tensor({1.5, 2.5}):requires_grad_()
        local b = a:to("float64") * 3
        b:sum():backward()
        assert.equal("float32", a.grad.dtype)
        equal({3, 3}, a.grad)
    end)

    it("are zero where a function is flat", function()
        for _, name in ipairs {"floor", "ceil", "round", "trunc", "sign"} do
            local a = tensor({1.3, -0.4}):requires_grad_();
            (a[name](a) + a):sum():backward()
            equal({1, 1}, a.grad, name)
        end
    end)

    it("halve at ties of maximum and minimum", function()
        for _, name in ipairs {"maximum", "minimum"} do
            local a, b = tensor({1.0, 2.0}):requires_grad_(), tensor({1.0, 2.0}):requires_grad_()
            a[name](a, b):sum():backward()
            equal({0.5, 0.5}, a.grad)
            equal({0.5, 0.5}, b.grad)
        end
    end)

    it("of powers are zero, not NaN, at zero", function()
        local a, b = tensor({0.0, 0.0, -2.0}):requires_grad_(), tensor({2.0, 0.0, 2.0}):requires_grad_()
        local ga = tocha.grad((a ^ b):sum(), {a})[1]
        equal({0, 0, -4}, ga)
        local base = tensor({0.0, 2.0}):requires_grad_()
        local exponent = tensor({2.0, 3.0}):requires_grad_()
        local gb = tocha.grad((base ^ exponent):sum(), {exponent})[1]
        near({0, 8 * math.log(2)}, gb, 1e-6, "exponent")
    end)

    it("cross in-place forms", function()
        local a = tensor({0.5, 1.5}):requires_grad_()
        local b = a * 2
        b:mul_(3):exp_()
        b:sum():backward()
        near({6 * math.exp(3), 6 * math.exp(9)}, a.grad, 1e-6, "in place")
        local c = tensor({1.0, 2.0}):requires_grad_()
        local d = c * 1
        d:fill_(5)
        d:sum():backward()
        equal({0, 0}, c.grad)
        local e = tensor({1.0, 2.0}):requires_grad_()
        local buffer = tocha.zeros(2, 2)
        buffer:copy_(e);
        (buffer * tensor({{1, 2}, {3, 4}})):sum():backward()
        equal({4, 6}, e.grad)
    end)
end)
