local tocha = require "tocha"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"

local message, values = expect.message, expect.values
local nan = 0 / 0

--- Every result of f over the first 1, 2, ... entries along the first dim of a matrix.
local function prefixes(x, f)
    local list = {}
    for i = 1, x:size(1) do
        list[i] = f(x:narrow(1, 1, i))
    end
    return tocha.stack(list)
end

describe("a scan", function()
    it("agrees with reductions of prefixes, whatever the layout and size", function()
        tocha.manual_seed(1)
        for _, shape in ipairs {{30, 7}, {5, 300}, {40, 1}} do
            local x = tocha.randint(-3, 3, shape)
            local reference = {
                cumsum = prefixes(x, function(p) return p:sum(1) end),
                cumprod = prefixes(x, function(p) return p:prod(1) end),
                cummax = prefixes(x, function(p) return p:amax(1) end),
                cummin = prefixes(x, function(p) return p:amin(1) end),
            }
            for name, expected in pairs(reference) do
                assert.is_true((x[name](x, 1)) == expected, name)
                local turned = x:t():contiguous()
                assert.is_true((turned[name](turned, 2)) == expected:t(), name .. " along rows")
                local y = x:double()
                assert.is_true((y[name](y, 1)) == expected:double(), name .. " of doubles")
            end
        end
    end)

    it("gives positions, the last of equals", function()
        local best, at = tocha.tensor({2, 3, 1, 3, nan, 4}):cummax(1)
        values({2, 3, 3, 3, nan, nan}, best)
        values({1, 2, 2, 4, 5, 5}, at, "int64")
        values({1, 1, 3}, select(2, tocha.tensor({2, 3, 2}):cummin(1)))
    end)

    it("sums long rows of floats without losing digits", function()
        local x = tocha.full({3, 100000}, 0.1)
        local last = x:cumsum(2):select(2, 100000)
        for i = 1, 3 do
            assert.is_true(math.abs(last[i]:item() - 10000) < 0.002)
        end
    end)

    it("computes in the dtype that is asked for, in place too", function()
        values({200, 144}, tocha.tensor({200, 200}, {dtype = "uint8"}):cumsum(1, {dtype = "uint8"}), "uint8")
        values({1.5, 3}, tocha.full({2}, 1.5):cumsum(1, "float64"), "float64")
        local x = tocha.tensor({1, 2, 3})
        assert.is_true(rawequal(x:cumsum_(1), x))
        values({1, 3, 6}, x, "int64")
        assert.matches("^cumsum_: the result is float32 and does not fit", message(x.cumsum_, x, 1, "float32"))
    end)

    it("of a scalar and of nothing is that", function()
        values(3, tocha.tensor(3.):cumsum(1))
        values(1, select(2, tocha.tensor(3.):cummax(-1)))
        assert.equal("0x2", tostring(tocha.zeros(0, 2):cumprod(1).shape))
    end)

    it("has gradients to second order, at zeros and far from them", function()
        local x = tocha.tensor({{0.5, 0.0, -1.2, 0.0}, {1.5, 2.0, 0.3, -0.7}}, {dtype = "float64"})
        for _, name in ipairs {"cumsum", "cumprod", "logcumsumexp"} do
            local function f(t)
                return t[name](t, 2):square()
            end
            gradcheck.check(f, {x})
        end
    end)

    it("of exponentials neither overflows nor vanishes in gradients", function()
        local x = tocha.tensor({-900., 0., 900., 1., -900.}):requires_grad_()
        x:logcumsumexp(1)[5]:backward()
        values({0, 0, 1, 0, 0}, x.grad)
    end)
end)

describe("columns side by side", function()
    local threads = tocha.get_num_threads()
    after_each(function() tocha.set_num_threads(threads) end)

    it("come out alike with any number of threads", function()
        tocha.manual_seed(21)
        local x = tocha.randn(3, 500, 270)
        for _, name in ipairs {"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "softmax", "log_softmax"} do
            for _, y in ipairs {x, x:transpose(2, 3):contiguous():transpose(2, 3), x[1], x:narrow(3, 1, 70)} do
                local dim = y:dim() - 1
                tocha.set_num_threads(1)
                local one, at = tocha[name](y, dim)
                for n = 2, 3 do
                    tocha.set_num_threads(n)
                    local many, places = tocha[name](y, dim)
                    assert.is_true(one == many and (not at or at == places), name .. " " .. n)
                end
            end
        end
    end)
end)

describe("differences and integrals", function()
    it("undo and follow cumsum", function()
        local x = tocha.tensor({1, 5, 2})
        values({1, 5, 2}, x:cumsum(1):diff(1, 1, tocha.tensor({0})))
        values({true, false}, tocha.tensor({true, false, false}):diff(), "bool")
        assert.equal("0", tostring(x:diff(9).shape))
    end)

    it("weigh uneven places", function()
        local y, x = tocha.tensor({1., 2., 4.}), tocha.tensor({0., 1., 3.})
        values(7.5, y:trapezoid(x))
        values({1.5, 7.5}, y:cumulative_trapezoid(x))
        assert.matches("^trapezoid: x must have as many entries", message(y.trapezoid, y, tocha.ones(2)))
        assert.matches("^trapezoid: y must hold numbers", message(tocha.trapezoid, tocha.tensor({true, false})))
    end)
end)
