--- The cumulative ops on the device against the CPU, on rows that are cut into tiles and chunks.

local tocha = require "tocha"

local function near(a, b)
    local wide = a:is_complex() and "complex128" or "float64"
    return tocha.allclose(a:to(wide), b:to(wide), {rtol = 1e-6, atol = 1e-6, equal_nan = true})
end

--- Reproducible numbers near 1 of either sign.
local function numbers(...)
    tocha.manual_seed(5)
    return tocha.rand(...) + 0.5
end

local function check(f, x, ...)
    local want, want_at = f(x, ...)
    local got, got_at = f(x:cuda(), ...)
    assert.is_true(near(got:cpu(), want))
    if want_at then
        assert.is_true(got_at:cpu() == want_at)
    end
    local again = f(x:cuda(), ...)
    assert.is_true(again:cpu():tobytes() == got:cpu():tobytes())
end

describe("on a CUDA device", function()
    local shapes = {
        {{9000}, 1}, {{3, 5000}, 2}, {{5000, 3}, 1}, {{2, 700, 40}, 2}, {{300, 7}, 1}, {{7, 300}, 2}, {{40000, 2}, 2},
    }
    for _, case in ipairs(shapes) do
        local shape, dim = table.unpack(case)
        it(("cumsum, cummax and their like scan %s along dim %d"):format(table.concat(shape, "x"), dim), function()
            local x = numbers(table.unpack(shape))
            check(tocha.cumsum, x, dim)
            check(tocha.logcumsumexp, x, dim)
            check(tocha.cumprod, x * 0.1 + 0.9, dim)
            check(tocha.cumsum, (x * 100):to("int32"), dim)
            check(tocha.cummax, (x * 20):floor(), dim)
            check(tocha.cummin, (x * 20):floor(), dim)
            check(tocha.cummin, (x * 20):to("int16"), dim)
        end)
    end

    for _, case in ipairs(shapes) do
        local shape, dim = table.unpack(case)
        it(("sums of logarithms scan complex numbers, %s along dim %d"):format(table.concat(shape, "x"), dim),
            function()
                local x = tocha.complex(numbers(table.unpack(shape)), numbers(table.unpack(shape)))
                check(tocha.logcumsumexp, x, dim)
                check(tocha.logcumsumexp, x:to("complex128"), dim)
            end)
    end

    it("the first of complex logarithms stays as it is, and those of 0 add nothing", function()
        local re, im = numbers(9000), numbers(9000)
        re[1], im[1] = 0.25, -0.0
        re:narrow(1, 2, 4000):fill_(-math.huge)
        local got = tocha.complex(re, im):cuda():logcumsumexp(1):cpu()
        assert.are.equal(0.25, got[1]:real():item())
        assert.are.equal(-math.huge, 1 / got[1]:imag():item())
        check(tocha.logcumsumexp, tocha.complex(re, im), 1)
    end)

    it("a nan stays the largest and the smallest to the end", function()
        local x = numbers(9000)
        x[7000], x[8000] = 0 / 0, 0 / 0
        check(tocha.cummax, x, 1)
        check(tocha.cummin, x, 1)
    end)

    it("strided rows and results in place", function()
        local x = numbers(6, 5000)
        check(tocha.cumsum, x:t(), 1)
        check(tocha.cumsum, x:t(), 2)
        local y = x:cuda()
        y:cumsum_(2)
        assert.is_true(near(y:cpu(), x:cumsum(2)))
    end)
end)
