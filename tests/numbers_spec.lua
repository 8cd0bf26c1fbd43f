--- Numbers and 0-dim tensors in arithmetic with half types: not rounded to them before it is computed.

local tocha = require "tocha"

local numbers = {3.3, 0.1, 1e-6, -2.7}

--- Computed in float32 and rounded once.
local function expected(f, x, n)
    return f(x:float(), tocha.tensor(n)):to(x.dtype)
end

local operators = {
    add = function(a, b) return a + b end,
    sub = function(a, b) return a - b end,
    mul = function(a, b) return a * b end,
    div = function(a, b) return a / b end,
    remainder = function(a, b) return a % b end,
    pow = function(a, b) return a ^ b end,
    swapped_sub = function(a, b) return b - a end,
    swapped_div = function(a, b) return b / a end,
}

describe("a number with a half tensor", function()
    local shapes = {{1}, {5}, {300, 411}, {}}
    for _, dtype in ipairs {"float16", "bfloat16"} do
        for name, f in pairs(operators) do
            it(name .. " rounds once in " .. dtype, function()
                for _, shape in ipairs(shapes) do
                    local x = tocha.rand(shape, {dtype = dtype}) * 7 + 0.5
                    local views = {x}
                    if #shape == 2 then
                        views = {x, x:t(), x:slice(2, 2, 400, 3)}
                    end
                    for _, v in ipairs(views) do
                        for _, n in ipairs(numbers) do
                            local want = expected(f, v, n)
                            assert.are.equal(dtype, f(v, n).dtype)
                            local strange = want:isnan():any():item()
                            assert.is_true(strange or tocha.equal(want, f(v, n)))
                            local scalar = #shape > 0 and tocha.tensor(n, {dtype = "float64"}) or n
                            assert.is_true(strange or tocha.equal(want, f(v, scalar)))
                        end
                    end
                end
            end)
        end

        it("in place rounds once in " .. dtype, function()
            local x = tocha.rand(1000, {dtype = dtype})
            local want = expected(operators.mul, x, 3.3)
            assert.is_true(tocha.equal(want, x:clone():mul_(3.3)))
        end)

        it("gets its gradient the same way in " .. dtype, function()
            local x = tocha.ones(3, {dtype = dtype}):requires_grad_()
            local g = tocha.tensor({1, 3, 100}, {dtype = dtype});
            (x * 3.3):backward(g)
            assert.is_true(tocha.equal(expected(operators.mul, g, 3.3), x.grad))
        end)

        it("compares as one of the tensor's numbers in " .. dtype, function()
            assert.is_true(tocha.tensor({0.1}, {dtype = dtype}):eq(0.1):all():item())
        end)
    end
end)
