local tocha = require "tocha"
local expect = require "tests.support.expect"

local message, values = expect.message, expect.values
local nan, inf = 0 / 0, math.huge

describe("variance", function()
    it("is exact far from zero", function()
        local x = tocha.tensor({1e6 + 1, 1e6 + 2, 1e6 + 3}, {dtype = "float32"})
        values(1, x:var())
        values(2 / 3, x:var{correction = 0}, "float32", 1e-6)
        values(1, tocha.tensor({1., 2., 3.}):to("bfloat16"):var(), "bfloat16")
    end)

    it("without freedom is nan or inf", function()
        values(nan, tocha.tensor({1.}):var())
        values(inf, tocha.tensor({1., 2.}):var{correction = 2})
        values(nan, tocha.zeros(0):std())
    end)

    it("comes with the mean on request", function()
        local std, mean = tocha.tensor({{1., 3.}, {2., 2.}}):std_mean(2, 1, true)
        values({{math.sqrt(2)}, {0}}, std, "float32", 1e-6)
        values({{2}, {2}}, mean)
    end)

    it("needs floats", function()
        assert.matches("^var: input must be float16, .*, got int64",
            message(tocha.var, tocha.arange(3)))
    end)
end)

describe("norm", function()
    it("takes any order", function()
        local x = tocha.tensor({{3., -4.}, {0., 0.}})
        values({5, 0}, x:norm(2, 2))
        values({7, 0}, x:norm(1, 2))
        values({4, 0}, x:norm(inf, 2))
        values({3, 0}, x:norm(-inf, 2))
        values({2, 0}, x:norm(0, 2))
        values(5, x:norm("fro"))
        assert.equal("norm: p must be a number, got nan", message(x.norm, x, nan))
    end)

    it("has gradient 0 at 0", function()
        local x = tocha.zeros(3):requires_grad_()
        x:norm():backward()
        values({0, 0, 0}, x.grad)
    end)
end)

describe("logsumexp", function()
    it("is safe for what overflows and for nothing", function()
        values(1000 + math.log(2), tocha.tensor({1000., 1000.}):logsumexp(1), "float32", 1e-6)
        values(-inf, tocha.tensor({-inf, -inf}):logsumexp(1))
        values(inf, tocha.tensor({inf, 1.}):logsumexp(1))
        values({-inf, -inf}, tocha.zeros(0, 2):logsumexp(1))
    end)

    it("has softmax as its gradient", function()
        local x = tocha.tensor({1., 2., 3.}):requires_grad_()
        x:logsumexp(1):backward()
        values(x:detach():softmax(1):tolist(), x.grad, "float32", 1e-6)
    end)
end)

describe("counts", function()
    it("of numbers from 1 on, and of weights", function()
        values({0, 2, 0, 1}, tocha.tensor({2, 4, 2}):bincount(), "int64")
        values({0, 1.5, 0}, tocha.tensor({2, 2}):bincount(tocha.tensor({1., 0.5}), 3), "float32")
        values({0, 0}, tocha.zeros(0):to("int64"):bincount{minlength = 2})
        assert.equal("bincount: input must be in [1, 1], got -3 at position 2",
            message(tocha.bincount, tocha.tensor({1, -3})))
    end)

    it("of what falls into bins, the last of them closed", function()
        values({1, 1, 2}, tocha.tensor({0., 1., 2., 3., 3.5}):histc(3, 0, 3))
        values({1, 0, 1}, tocha.tensor({{4., 1.}}):t():histc(3))
        values({0, 2}, tocha.tensor({5., 5.}):histc(2))
        assert.matches("^histc: the range of the bins must be finite", message(tocha.histc, tocha.tensor({inf})))
    end)

    it("of what is not zero", function()
        values(2, tocha.tensor({0., nan, 3.}):count_nonzero())
        values({1, 1}, tocha.tensor({{true, false}, {false, true}}):count_nonzero(1))
    end)
end)

describe("without nan", function()
    it("sum and mean go over the rest", function()
        local x = tocha.tensor({{1., nan}, {nan, nan}})
        values({1, 0}, x:nansum(2))
        values({1, nan}, x:nanmean(2))
    end)
end)

describe("bincount of many numbers", function()
    it("counts each in several tables and threads, strided too", function()
        for _, bins in ipairs {1, 7, 2048, 5000} do
            local x = tocha.randint(1, bins, {300001})
            for _, v in ipairs {x, x:slice(1, 2, 300001, 3), x:to("int32")} do
                local counts = v:bincount {minlength = bins}
                assert.equal(v:numel(), counts:sum():item())
                local sorted = v:sort()
                local last = sorted:searchsorted(tocha.arange(bins):to(v.dtype), {right = true})
                assert.is_true(tocha.equal(counts:cumsum(1), last - 1))
            end
        end
        local x = tocha.ones(200000, {dtype = "int64"})
        x[150000] = -3
        assert.equal("bincount: input must be in [1, 1], got -3 at position 150000", message(tocha.bincount, x))
    end)
end)
