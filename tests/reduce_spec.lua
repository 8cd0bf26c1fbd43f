local tocha = require "tocha"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"

local message, values = expect.message, expect.values
local nan, inf = 0 / 0, math.huge

local function random(...)
    return tocha.randn(...):to("float64")
end

describe("a reduction", function()
    local x = tocha.arange(24):view(2, 3, 4)

    it("takes no dim, one, several, negative ones, and keeps them on request", function()
        values(300, x:sum(), "int64")
        values({{14, 16, 18, 20}, {22, 24, 26, 28}, {30, 32, 34, 36}}, x:sum(1))
        values({{10, 26, 42}, {58, 74, 90}}, x:sum(-1))
        values({66, 72, 78, 84}, x:sum({1, 2}))
        values({{{78}, {222}}}, x:sum({2, 3}, true):view(1, 2, 1))
        assert.equal("2x1x1", tostring(x:sum({2, 3}, true).shape))
        assert.equal("1x1x1", tostring(x:sum{keepdim = true}.shape))
    end)

    it("walks any strides", function()
        local y = x:permute({3, 1, 2})
        values({{10, 26, 42}, {58, 74, 90}}, y:sum(1))
        values({66, 72, 78, 84}, y:sum({2, 3}))
        values({21, 22, 23, 24}, x:slice(2, 1, 3, 2):amax({1, 2}))
        values({{1, 9}, {13, 21}}, x:slice(2, 1, 3, 2):amin(3))
        values({6, 9}, tocha.tensor({{2}, {3}}):expand(2, 3):sum(2))
        values({8, 27}, tocha.tensor({{2}, {3}}):expand(2, 3):prod(2))
    end)

    it("of nothing gives the neutral element", function()
        local none = tocha.zeros(0)
        values(0, none:sum(), "float32")
        values(1, none:prod())
        values(nan, none:mean())
        values(true, none:all(), "bool")
        values(false, none:any(), "bool")
        values({0, 0, 0}, tocha.zeros(0, 3):sum(1))
        assert.equal("0", tostring(tocha.zeros(3, 0):sum(1).shape))
        values({{nan}}, tocha.zeros(0, 1):mean(1, true))
    end)

    it("of a scalar is the scalar", function()
        local s = tocha.tensor(3.)
        values(3, s:sum())
        values(3, s:sum(1))
        values(3, s:amax(-1))
        values(1, s:argmax())
        local value, position = s:max(1)
        values(3, value)
        values(1, position, "int64")
    end)

    it("that picks needs something to pick from", function()
        for _, name in ipairs {"max", "min", "amax", "amin", "argmax", "argmin"} do
            local text = message(tocha[name], tocha.zeros(0))
            assert.equal(name .. ": expected at least one element to choose from, got shape 0", text)
        end
        assert.matches("^max: .*got shape 2x0$", message(tocha.max, tocha.zeros(2, 0), 2))
        assert.equal("0", tostring(tocha.zeros(2, 0):amax(1).shape))
    end)

    it("sums integers and bools as int64, or as the dtype asked for", function()
        values(255, tocha.full({255}, 1, {dtype = "uint8"}):sum(), "int64")
        values(300, tocha.full({3}, 100, {dtype = "int8"}):sum(), "int64")
        values(2, tocha.tensor({true, false, true}):sum(), "int64")
        values(44, tocha.full({3}, 100, {dtype = "uint8"}):sum{dtype = "uint8"}, "uint8")
        values(3, tocha.tensor({1.7, 2.7}):sum{dtype = "int32"}, "int32")
        values(2.5, tocha.tensor({1, 4}):to("float16"):mean{dtype = "float64"}, "float64")
        assert.matches("^mean: input must be float16", message(tocha.mean, tocha.arange(3)))
    end)

    it("names what is wrong", function()
        assert.equal("sum: dim must be an integer in [-3, 3] (3 dims), got 4", message(x.sum, x, 4))
        assert.equal("sum: dim names dim 1 twice", message(x.sum, x, {1, -3}))
    end)
end)

describe("a sum", function()
    it("of ten million floats errs by little more than a rounding", function()
        local n = 10000000
        for _, v in ipairs {0.1, 0.7, 3.3} do
            local exact = n * tocha.tensor(v):to("float64"):item()
            for _, sum in ipairs {tocha.full({n}, v):sum(), tocha.full({n, 4}, v):sum(1)[3]} do
                assert.is_true(math.abs(sum:item() - exact) <= exact * 2 ^ -21)
            end
        end
    end)

    it("has the same bits with any number of threads", function()
        local x = tocha.randn(700, 1300)
        local before = tocha.get_num_threads()
        local function all()
            return {x:sum(), x:sum(1), x:sum(2), x:mean(), x:prod(2), x:t():sum(1),
                x:view(-1, 1):sum(1), x:softmax(1), x:log_softmax(2)}
        end
        tocha.set_num_threads(1)
        local one = all()
        tocha.set_num_threads(2)
        local two = all()
        tocha.set_num_threads(before)
        for i, t in ipairs(one) do
            assert.is_true(t:equal(two[i]), "result " .. i)
        end
    end)

    it("of halves is rounded once", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            local x = tocha.full({4096}, 0.5):to(dtype)
            values(2048, x:sum(), dtype)
            values(1024, x:view(2, 2048):sum(2)[1], dtype)
            values(1024, x:view(2048, 2):sum(1)[2], dtype)
        end
        values(inf, tocha.full({3}, 60000.):to("float16"):sum(), "float16")
        values(60000, tocha.full({3}, 60000.):to("float16"):mean(), "float16", 1e-3)
    end)

    it("of bfloat16 is that of the same floats, in any layout", function()
        tocha.manual_seed(12)
        for _, shape in ipairs {{3, 1}, {5, 31}, {7, 33}, {2, 200}, {70, 129}, {3, 4099}, {1, 70001}} do
            local x = tocha.randn(shape):to("bfloat16")
            local turned, gaps = x:t():contiguous():t(), tocha.stack({x, x}, {dim = 3}):select(3, 1)
            for dim = 1, 2 do
                local sum = x:to("float32"):sum(dim):to("bfloat16")
                for _, y in ipairs {x, turned, gaps} do
                    assert.is_true(sum == y:sum(dim), table.concat(shape, "x") .. " along " .. dim)
                end
            end
            x[1][1], turned[1][1] = nan, nan
            local one = x:isnan():any(2)
            assert.is_true(x:sum(2):isnan() == one and turned:sum(2):isnan() == one)
            assert.is_true(x:nansum(2) == x:to("float32"):nansum(2):to("bfloat16"))
        end
    end)

    it("passes infinities and nan on", function()
        values(inf, tocha.tensor({1, inf, 2}):sum())
        values(nan, tocha.tensor({inf, -inf}):sum())
        values(nan, tocha.tensor({1, nan}):mean())
        values(inf, tocha.tensor({1, inf}):to("float64"):view(2, 1):sum(1):sum())
    end)
end)

describe("a product", function()
    it("is that of doubles, rounded once, of any length and layout", function()
        tocha.manual_seed(13)
        for _, n in ipairs {1, 7, 8, 31, 32, 33, 47, 64, 100, 5000} do
            for _, dtype in ipairs {"float32", "float64", "float16", "bfloat16"} do
                local x = (tocha.randn(3, n) * 0.01 + 1):to(dtype)
                local wide = x:to("float64")
                local product = wide:select(2, 1)
                for i = 2, n do
                    product = product * wide:select(2, i)
                end
                local one, gaps = x:prod(2), tocha.stack({x, x}, {dim = 3}):select(3, 1):prod(2)
                local scale = dtype == "float64" and 1e-12 or dtype == "float32" and 1e-7 or 1e-2
                assert.is_true((one:to("float64") / product - 1):abs():max():item() <= scale, n .. " " .. dtype)
                assert.is_true(one == gaps, n .. " " .. dtype)
            end
        end
    end)
end)

describe("max and min", function()
    it("tell their three forms apart by what comes", function()
        local x = tocha.tensor({{1, 7}, {3, 4}})
        values(7, x:max())
        values(1, x:min())
        local v, i = x:max(1)
        values({3, 7}, v)
        values({2, 1}, i, "int64")
        v, i = x:min(2, true)
        values({{1}, {3}}, v)
        values({{1}, {1}}, i, "int64")
        values({{2, 7}, {3, 4}}, x:max(tocha.tensor({2, 4})))
        values({{1, 4}, {2, 4}}, x:min(tocha.tensor({2, 4})))
        v, i = x:max{dim = 2, keepdim = true}
        values({{7}, {4}}, v)
        values({{2}, {2}}, i)
    end)

    it("take the first of equals", function()
        local x = tocha.tensor({5, 1, 5, 1}):to("int16")
        values(1, x:argmax())
        values(2, x:argmin())
        for _, n in ipairs {10, 100, 9000} do
            local same = tocha.ones(n, 300)
            values(1, same:argmax())
            values(n, same:argmax(1):sum() / 300 * n)
            values(n, same:argmin(2):sum())
        end
    end)

    it("let nan win, and find the first one", function()
        local x = tocha.tensor({1, nan, 9, nan, -9})
        values(nan, x:max())
        values(nan, x:min())
        values(nan, x:amax(1))
        values(2, x:argmax())
        values(2, x:argmin())
        local v, i = x:view(5, 1):expand(5, 40):max(1)
        values(nan, v:sum())
        values(80, i:sum())
        local long = tocha.zeros(20000)
        long[12345] = nan
        values(nan, long:max())
        values(12345, long:argmax())
    end)

    it("count positions over all dims in row-major order, whatever the strides", function()
        local x = tocha.tensor({{1, 2, 9}, {4, 5, 6}})
        values(3, x:argmax())
        values(5, x:t():argmax())
        values({3, 3}, x:argmax(2))
        values({2, 2, 1}, x:argmax(1))
        values({{2, 2, 1}}, x:argmax(1, true))
    end)

    it("work on all integers and bools", function()
        values(true, tocha.tensor({false, true}):max(), "bool")
        values(-9, tocha.tensor({3, -9, 2}):to("int8"):min(), "int8")
        values(math.mininteger, tocha.tensor({math.mininteger, math.mininteger}):max(), "int64")
        values(200, tocha.tensor({3, 200}):to("uint8"):amax(), "uint8")
    end)
end)

describe("all and any", function()
    it("take nan and anything but zero for true", function()
        values(true, tocha.tensor({nan, 0.5, -1}):all())
        values(false, tocha.tensor({1, -0.0}):all())
        values({true, false}, tocha.tensor({{0, 2}, {0, 0}}):any(2))
        values({false, true}, tocha.tensor({{0, 2}, {1, 3}}):all(1))
        local x = tocha.zeros(5000)
        values(false, x:any())
        x[4999] = 1
        values(true, x:any())
    end)
end)

describe("softmax", function()
    it("is safe for large and small inputs", function()
        values({0.5, 0.5}, tocha.tensor({1000, 1000}):to("float32"):softmax(1))
        values({1, 0}, tocha.tensor({0., -1000}):softmax(1))
        values({0, -1000}, tocha.tensor({0., -1000}):log_softmax(1))
        values({0, 1}, tocha.tensor({-inf, 3}):softmax(1))
        values({nan, nan}, tocha.tensor({-inf, -inf}):softmax(1))
        values({nan, nan}, tocha.tensor({nan, 1}):log_softmax(1))
    end)

    it("sums to one along any dim, of any length and layout", function()
        for _, shape in ipairs {{7, 5000}, {5000, 7}, {3, 65, 4}, {300, 300}} do
            local x = tocha.randn(shape):to("float64")
            for _, y in ipairs {x, x:transpose(1, 2)} do
                for dim = 1, y:dim() do
                    local error = (y:softmax(dim):sum(dim) - 1):abs():max():item()
                    assert.is_true(error < 1e-12)
                    local logs = (y:log_softmax(dim):exp() - y:softmax(dim)):abs():max():item()
                    assert.is_true(logs < 1e-13)
                end
            end
        end
    end)

    it("takes scalars, empty tensors, integers and halves", function()
        values(1, tocha.tensor(3.):softmax(1))
        values(0, tocha.tensor(3.):log_softmax(-1))
        assert.equal("0x3", tostring(tocha.zeros(0, 3):softmax(2).shape))
        values({0.5, 0.5}, tocha.tensor({2, 2}):softmax(1), "float32")
        values({0.25, 0.25, 0.25, 0.25}, tocha.zeros(4):to("bfloat16"):softmax(1), "bfloat16")
        assert.matches("^softmax: dim must be an integer in %[%-1, 1%]",
            message(tocha.softmax, tocha.zeros(3), 2))
    end)
end)

describe("sum_to_size", function()
    it("undoes expand", function()
        values({2, 2, 2}, tocha.ones(2, 3):sum_to_size(3))
        values({{3}, {3}}, tocha.ones(2, 3):sum_to_size(2, 1))
        values(6, tocha.ones(2, 3):sum_to_size({}))
        local x = tocha.ones(2, 3)
        assert.is_true(x:sum_to_size(2, 3):data_ptr() == x:data_ptr())
        assert.equal("sum_to_size: size 3x3 does not broadcast to input's shape 2x3",
            message(x.sum_to_size, x, 3, 3))
    end)
end)

describe("the gradient of", function()
    local function cubed(name, ...)
        local args = table.pack(...)
        return function(x)
            return (tocha[name](x * x * x, table.unpack(args, 1, args.n)))
        end
    end

    before_each(function()
        tocha.manual_seed(11)
    end)

    it("sum and mean", function()
        gradcheck.check(cubed("sum"), {random(2, 3)})
        gradcheck.check(cubed("sum", 2), {random(2, 3)})
        gradcheck.check(cubed("mean", {1, 3}, true), {random(2, 3, 2)})
        gradcheck.check(cubed("sum_to_size", 3), {random(2, 3)})
    end)

    it("prod, with zeros too", function()
        gradcheck.check(cubed("prod", 2), {random(2, 3)})
        gradcheck.check(function(x) return x:prod({1, 3}) end, {random(2, 2, 2)})
        gradcheck.check(function(x) return x:prod() end, {tocha.tensor({0., 2, 3}):to("float64")})
        gradcheck.check(function(x) return x:prod() end, {tocha.tensor({0., 2, 0}):to("float64")})
        gradcheck.check(function(x) return x:prod() end, {tocha.tensor(2.):to("float64")})
    end)

    it("max, min, amax, amin", function()
        gradcheck.check(cubed("max"), {random(2, 3)})
        gradcheck.check(cubed("min", 1), {random(2, 3)})
        gradcheck.check(cubed("max", 2, true), {random(2, 3)})
        gradcheck.check(cubed("amax", {1, 2}), {random(2, 3)})
        gradcheck.check(cubed("amin", 1), {random(3, 2)})
    end)

    it("equals: shared evenly, or to the position", function()
        local x = tocha.tensor({2., 1, 2}, {requires_grad = true})
        values({0.5, 0, 0.5}, tocha.grad(x:max(), x))
        values({0.5, 0, 0.5}, tocha.grad(x:amax(1), x))
        values({1, 0, 0}, tocha.grad((x:max(1)), x))
    end)

    it("softmax, log_softmax and their backward ops", function()
        for dim = 1, 2 do
            gradcheck.check(function(x) return x:softmax(dim) end, {random(3, 2)})
            gradcheck.check(function(x) return x:log_softmax(dim) end, {random(3, 2)})
            gradcheck.check(function(g, y) return tocha.softmax_backward(g, y, dim) end,
                {random(2, 3), random(2, 3)})
            gradcheck.check(function(g, y) return tocha.log_softmax_backward(g, y, dim) end,
                {random(2, 3), random(2, 3)})
        end
    end)
end)
