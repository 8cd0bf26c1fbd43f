local tocha = require "tocha"
local elements = require "tests.support.elements"
local expect = require "tests.support.expect"

local all, ints, floats = elements.all, elements.ints, elements.floats
local of, equal, near, tensor = elements.of, elements.equal, elements.near, elements.tensor
local message = expect.message
local nan, inf = 0 / 0, math.huge

--- The four words of one counter of Philox4x32-10, for what the stream of a seed must hold.
local function philox(key, counter)
    local mask = 0xffffffff
    local c0, c1, c2, c3 = counter & mask, counter >> 32, 0, 0
    local k0, k1 = key & mask, key >> 32
    for _ = 1, 10 do
        local p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ~ c1 ~ k0, p1 & mask, (p0 >> 32) ~ c3 ~ k1, p0 & mask
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    end
    return {c0, c1, c2, c3}
end

local function word(key, i)
    return philox(key, i // 4)[i % 4 + 1]
end

local function constant(value, n)
    local list = {}
    for i = 1, n do
        list[i] = value
    end
    return list
end

describe("tensors of one number", function()
    it("have every dtype and any size", function()
        for _, dtype in ipairs(all) do
            local zero, one = dtype ~= "bool" and 0, dtype == "bool" or 1
            for _, size in ipairs {{}, {0}, {1}, {3, 5}, {2, 0, 3}, {70000}} do
                local n = 1
                for _, s in ipairs(size) do
                    n = n * s
                end
                equal(constant(zero, n), tocha.zeros(size, {dtype = dtype}):view(-1), dtype)
                equal(constant(one, n), tocha.ones(size, {dtype = dtype}):view(-1), dtype)
                equal(constant(one, n), tocha.full(size, 1, {dtype = dtype}):view(-1), dtype)
                assert.equal(dtype, tocha.empty(size, {dtype = dtype}).dtype)
            end
        end
        assert.equal("2x3", tostring(tocha.zeros(2, 3).shape))
        assert.equal("float32", tocha.zeros(2, 3).dtype)
    end)

    it("take the dtype of the number", function()
        assert.equal("int64", tocha.full({2}, 3).dtype)
        assert.equal("float32", tocha.full({2}, 3.0).dtype)
        equal({inf, inf}, tocha.full({2}, inf, {dtype = "float16"}))
        equal({true, true}, tocha.full({2}, 0.5, {dtype = "bool"}))
        equal({2, 2}, tocha.full({2}, 2.0, {dtype = "int8"}))
    end)

    it("refuse what the dtype cannot hold", function()
        assert.equal("full: fill_value must be in [0, 255] for uint8, got -1",
            message(tocha.full, {2}, -1, {dtype = "uint8"}))
        assert.equal("full: fill_value must be a whole number for int32, got 1.5",
            message(tocha.full, {2}, 1.5, {dtype = "int32"}))
        assert.equal("full: fill_value must be a whole number for int64, got nan",
            message(tocha.full, {2}, nan - 0, {dtype = "int64"}):gsub("-nan", "nan"))
        assert.equal("full: fill_value is 1e+300, which overflows float32", message(tocha.full, {2}, 1e300))
        assert.equal("zeros: sizes must not be negative, got 2x-1", message(tocha.zeros, 2, -1))
        assert.matches("more elements than memory can address", message(tocha.zeros, 1 << 40, 1 << 40))
    end)

    it("can be leaves", function()
        local x = tocha.ones(2, {requires_grad = true});
        (x * 3):sum():backward()
        equal({3, 3}, x.grad)
        assert.is_true(tocha.rand_like(x, {requires_grad = true}).is_leaf)
        assert.is_false(pcall(tocha.ones, 2, {requires_grad = true, dtype = "int64"}))
    end)

    it("have identities among them", function()
        equal({1, 0, 0, 0, 1, 0}, tocha.eye(2, 3))
        equal({1, 0, 0, 1, 0, 0}, tocha.eye(3, 2, {dtype = "int16"}))
        equal({true}, tocha.eye(1, {dtype = "bool"}))
        assert.equal("0x3", tostring(tocha.eye(0, 3).shape))
        assert.equal(0, tocha.eye(0, math.maxinteger):numel())
        assert.equal("eye: sizes must not be negative, got -1x-1", message(tocha.eye, -1))
    end)
end)

describe("ranges", function()
    it("count from 1 and include both ends", function()
        equal({1, 2, 3, 4, 5}, tocha.arange(5))
        equal({2, 5, 8}, tocha.arange(2, 10, 3))
        equal({5, 3, 1}, tocha.arange(5, 1, -2))
        equal({}, tocha.arange(0))
        equal({}, tocha.arange(5, 1))
        equal({7}, tocha.arange(7, 7))
        equal({0, 0.25, 0.5, 0.75, 1}, tocha.arange(0, 1, 0.25))
        near({0, 0.1, 0.2, 0.3}, tocha.arange(0, 0.3, 0.1, {dtype = "float64"}), 1e-15)
        assert.equal(0.3, tocha.arange(0, 0.3, 0.1, {dtype = "float64"})[4]:item())
        near({0.3, 0.2, 0.1, 0}, tocha.arange(0.3, 0, -0.1), 1e-7)
        for _, n in ipairs {10, 100, 1000} do
            assert.equal(n + 1, tocha.arange(0, 1, 1 / n):numel())
        end
    end)

    it("have the dtype of their numbers, or the one asked for", function()
        assert.equal("int64", tocha.arange(3).dtype)
        assert.equal("float32", tocha.arange(3.0).dtype)
        assert.equal("float32", tocha.arange(1, 3, 0.5).dtype)
        for _, dtype in ipairs(ints) do
            equal({1, 2, 3}, tocha.arange(3, {dtype = dtype}), dtype)
        end
        for _, dtype in ipairs(floats) do
            equal({1, 2, 3}, tocha.arange(3, {dtype = dtype}), dtype)
            equal({0, 0.5, 1}, tocha.linspace(0, 1, 3, {dtype = dtype}), dtype)
        end
        equal({0, 0, 1}, tocha.arange(0, 1.2, 0.5, {dtype = "int32"}))
    end)

    it("survive the ends of int64", function()
        local low, high = math.mininteger, math.maxinteger
        equal({low, low + high, low + high + high}, tocha.arange(low, high, high))
        equal({high, high - high, high - high - high}, tocha.arange(high, low, -high))
        equal({high}, tocha.arange(high, high))
        assert.matches("more elements than memory", message(tocha.arange, low, high))
        assert.matches("more elements than memory", message(tocha.arange, 0, 1e300))
    end)

    it("are the same in long and in parts", function()
        local x = tocha.arange(100000)
        assert.equal(100000 * 100001 // 2, x:sum():item())
        equal(of(tocha.arange(99001, 100000)), x:slice(1, 99001, 100000))
    end)

    it("end exactly where linspace is told to", function()
        for _, n in ipairs {2, 3, 7, 1000, 5000} do
            local x = tocha.linspace(-0.1, 0.7, n, {dtype = "float64"})
            assert.equal(n, x:numel())
            assert.equal(-0.1, x[1]:item())
            assert.equal(0.7, x[n]:item())
        end
        equal({3}, tocha.linspace(3, 9, 1))
        equal({}, tocha.linspace(3, 9, 0))
        equal({9, 6, 3}, tocha.linspace(9, 3, 3))
        equal({1, 3, 5}, tocha.linspace(1, 5.9, 3, {dtype = "int64"}))
    end)

    it("say what is wrong with them", function()
        assert.matches("^arange: first and last must be finite and step neither 0 nor infinite, got 1, 2, 0$",
            message(tocha.arange, 1, 2, 0))
        assert.matches("^arange: first and last must be finite", message(tocha.arange, inf))
        assert.equal("arange: last must be in [0, 255] for uint8, got 300",
            message(tocha.arange, 300, {dtype = "uint8"}))
        assert.equal("arange: last is 70000, which overflows float16",
            message(tocha.arange, 70000, {dtype = "float16"}))
        assert.matches("^arange: dtype must be .*, got bool$", message(tocha.arange, 3, {dtype = "bool"}))
        assert.equal("linspace: steps must not be negative, got -1", message(tocha.linspace, 0, 1, -1))
    end)
end)

describe("random tensors", function()
    before_each(function() tocha.manual_seed(1234) end)

    local function moments(t)
        local x = t:to("float64")
        local mean = x:mean():item()
        return mean, ((x - mean) ^ 2):mean():item(), ((x - mean) ^ 4):mean():item()
    end

    it("hold the stream of the seed", function()
        local expected, wide = {}, {}
        for i = 0, 4999 do
            expected[i + 1] = (word(1234, i) >> 8) * 2.0 ^ -24
            local high = word(1234, 2 * i + 1) << 32 | word(1234, 2 * i)
            wide[i + 1] = (high >> 11) * 2.0 ^ -53
        end
        equal(expected, tocha.rand(5000))
        tocha.manual_seed(1234)
        equal(wide, tocha.rand(5000, {dtype = "float64"}))
        tocha.manual_seed(5 << 33 | 77)
        assert.equal((word(5 << 33 | 77, 2) >> 8) * 2.0 ^ -24, tocha.rand(3)[3]:item())
    end)

    it("repeat with the seed and with any number of threads", function()
        local threads = tocha.get_num_threads()
        local function draw()
            tocha.manual_seed(99)
            return {tocha.rand(70001), tocha.randn(70001), tocha.randn(5001, {dtype = "float64"}),
                tocha.randint(-50, 50, {70001}), tocha.randperm(5001), tocha.dropout_mask(tocha.ones(70001), 0.3),
                tocha.rand(50001, {dtype = "float16"}), tocha.randn(3), tocha.zeros(50001):normal_(2, 3)}
        end
        tocha.set_num_threads(1)
        local single = draw()
        tocha.set_num_threads(3)
        local several = draw()
        tocha.set_num_threads(threads)
        for i, t in ipairs(single) do
            assert.is_true(t:equal(several[i]), i)
        end
        assert.is_false(tocha.rand(8):equal(tocha.rand(8)))
    end)

    it("are uniform", function()
        for _, dtype in ipairs(floats) do
            local x = tocha.rand(200000, {dtype = dtype})
            local mean, variance = moments(x)
            local half_step = dtype == "bfloat16" and 2 ^ -9 or dtype == "float16" and 2 ^ -12 or 0
            assert.is_near(0.5 - half_step, mean, 0.003)
            assert.is_near(1 / 12, variance, 0.001)
            assert.is_true(x:ge(0):all():item())
            assert.is_true(x:lt(1):all():item())
        end
        for _, dtype in ipairs(floats) do
            local y = tocha.zeros(50000, {dtype = dtype}):uniform_(-3, -1)
            assert.is_near(-2, moments(y), 0.03)
            assert.is_true(y:ge(-3):logical_and(y:lt(-1)):all():item())
        end
        equal({2, 2}, tocha.zeros(2):uniform_(2, 2))
        local view = tocha.zeros(3, 4)
        view:select(2, 2):uniform_(5, 6)
        equal({0, 0, 0}, view:select(2, 1))
        assert.is_true(view:select(2, 2):ge(5):all():item())
    end)

    it("are normal", function()
        for _, dtype in ipairs(floats) do
            local mean, variance, fourth = moments(tocha.randn(200001, {dtype = dtype}))
            assert.is_near(0, mean, 0.012)
            assert.is_near(1, variance, 0.02)
            assert.is_near(3, fourth, 0.12)
        end
        local mean, variance = moments(tocha.zeros(200000):normal_(5, 0.5))
        assert.is_near(5, mean, 0.006)
        assert.is_near(0.25, variance, 0.005)
        equal({5, 5}, tocha.zeros(2):normal_(5, 0))
        assert.equal(1, tocha.randn(1):numel())
        assert.equal(0, tocha.randn(0):numel())
    end)

    it("are whole numbers, all equally likely", function()
        for _, dtype in ipairs {"uint8", "int8", "int16", "int32", "int64", "float16", "float32"} do
            local x = tocha.randint(3, 12, {50000}, {dtype = dtype})
            assert.equal(dtype, x.dtype)
            local counts = {}
            for _, v in ipairs(x:tolist()) do
                counts[v] = (counts[v] or 0) + 1
            end
            for v = 3, 12 do
                assert.is_near(5000, counts[v], 350)
                counts[v] = nil
            end
            assert.is_nil(next(counts))
        end
        local die = tocha.randint(6, {10000})
        assert.equal(1, die:min():item())
        assert.equal(6, die:max():item())
        local wide = tocha.randint(math.mininteger, math.maxinteger, {1000})
        assert.is_near(500, wide:lt(0):sum():item(), 100)
        assert.equal("3x4", tostring(tocha.randint(5, {3, 4}).shape))
        assert.equal(7, tocha.randint(7, 7, {1})[1]:item())
    end)

    it("are permutations", function()
        local first = {}
        for _ = 1, 3000 do
            local p = tocha.randperm(5)
            local seen = p:tolist()
            first[seen[1]] = (first[seen[1]] or 0) + 1
            table.sort(seen)
            assert.are.same({1, 2, 3, 4, 5}, seen)
        end
        for v = 1, 5 do
            assert.is_near(600, first[v], 110)
        end
        local big = tocha.randperm(10000, {dtype = "int32"})
        assert.equal("int32", big.dtype)
        local list = big:tolist()
        table.sort(list)
        assert.are.same(tocha.arange(10000):tolist(), list)
        equal({}, tocha.randperm(0))
        equal({1}, tocha.randperm(1))
    end)

    it("complain", function()
        assert.equal("randint: high must be at least 5, got 2", message(tocha.randint, 5, 2, {3}))
        assert.equal("randint: high must be at least 1, got 0", message(tocha.randint, 0, {3}))
        assert.equal("randint: high must be in [0, 255] for uint8, got 300",
            message(tocha.randint, 0, 300, {3}, {dtype = "uint8"}))
        assert.equal("randint: high is 70000, but float16 holds whole numbers exactly up to 2048 only",
            message(tocha.randint, 0, 70000, {3}, {dtype = "float16"}))
        assert.equal("rand: dtype must be float16, bfloat16, float32, float64, complex64, complex128, got int64",
            message(tocha.rand, 2, {dtype = "int64"}))
        assert.equal("randperm: sizes must not be negative, got -1", message(tocha.randperm, -1))
        assert.equal("randperm: n must be in [0, 255] for uint8, got 256",
            message(tocha.randperm, 256, {dtype = "uint8"}))
        local x = tocha.zeros(2)
        assert.matches("^uniform_?: from and to must be finite and from at most to, got 2 and 1$",
            message(x.uniform_, x, 2, 1))
        assert.matches("^normal_?: mean must be finite and std finite and not negative, got 0 and %-1$",
            message(x.normal_, x, 0, -1))
        assert.matches("^uniform_?: input must be .*float64, complex64, complex128, got int64$",
            message(function() tocha.arange(2):uniform_() end))
        equal({0, 0}, x)
    end)
end)

describe("dropout", function()
    it("scales what it keeps", function()
        for _, dtype in ipairs(floats) do
            local mask = tocha.dropout_mask(tocha.ones(100000, {dtype = dtype}), 0.2)
            local kept = mask:ne(0)
            assert.is_near(80000, kept:sum():item(), 600)
            assert.is_true(mask:eq(tensor(1.25, dtype)):logical_or(mask:eq(0)):all():item())
        end
        equal({0, 0}, tocha.dropout(tocha.ones(2), 1))
        equal({1, 1}, tocha.dropout(tocha.ones(2), 0))
        local x = tocha.ones(3)
        assert.is_true(tocha.dropout(x, 0.5, false):equal(x))
        assert.equal("dropout: p must be in [0, 1], got 1.5", message(tocha.dropout, x, 1.5))
        assert.equal("dropout_mask: p must be in [0, 1], got -1", message(tocha.dropout_mask, x, -1))
    end)

    it("drops gradients with the elements, in place too", function()
        tocha.manual_seed(5)
        local x = tocha.full({1000}, 2.0, {dtype = "float64", requires_grad = true})
        local y = tocha.dropout(x * x, 0.5)
        local gx = tocha.grad(y:sum(), {x}, {create_graph = true})[1]
        equal(of(y:detach()), gx:detach())
        local second = tocha.grad(gx:sum(), {x})[1]
        equal(of(y:detach()), second * 2)
        local z = tocha.ones(1000)
        assert.equal(z, z:dropout_(0.5))
        assert.is_true(z:eq(0):logical_or(z:eq(2)):all():item())
        assert.is_near(500, z:eq(0):sum():item(), 80)
    end)
end)

describe("the _like forms", function()
    it("take over shape and dtype, or what is asked for", function()
        for _, dtype in ipairs(all) do
            local x = tocha.zeros(2, 3, {dtype = dtype}):t()
            for _, name in ipairs {"zeros_like", "ones_like", "empty_like"} do
                local y = tocha[name](x)
                assert.equal(dtype, y.dtype)
                assert.equal("3x2", tostring(y.shape))
                assert.equal("float64", tocha[name](x, {dtype = "float64"}).dtype)
            end
            assert.equal(dtype, tocha.full_like(x, 1).dtype)
        end
        equal({0, 0}, tocha.zeros_like(tensor({1, 2})))
        equal({1, 1}, tocha.ones_like(tensor({5, 2})))
        equal({0.5, 0.5}, tocha.full_like(tensor({1.0, 2.0}), 0.5))
        equal({4, 4}, tocha.randint_like(tensor({1.0, 2.0}), 4, 4))
        assert.equal("float32", tocha.randint_like(tensor({1.0, 2.0}), 1, 4).dtype)
        assert.equal("float16", tocha.rand_like(tensor({1}, "float16")).dtype)
        assert.equal("float64", tocha.randn_like(tensor({1}), {dtype = "float64"}).dtype)
        assert.matches("^rand_like: dtype must be .*float64, complex64, complex128, got int64$",
            message(tocha.rand_like, tensor({1})))
    end)

    local forms = {
        zeros_like = {}, ones_like = {}, empty_like = {}, full_like = {3}, rand_like = {}, randn_like = {},
        randint_like = {1, 9},
    }

    it("keep the memory order of an input without gaps", function()
        local image = tocha.zeros(2, 3, 4, 5):permute(3, 1, 4, 2)
        for name, args in pairs(forms) do
            local y = tocha[name](image, table.unpack(args))
            assert.same({4, 2, 5, 3}, {table.unpack(y.shape)}, name)
            assert.same({5, 60, 1, 20}, {table.unpack(y:stride())}, name)
            local gaps = tocha[name](image:narrow(1, 1, 2), table.unpack(args))
            assert.same({30, 15, 3, 1}, {table.unpack(gaps:stride())}, name)
            local repeated = tocha[name](tocha.zeros(1, 3):expand(2, 3), table.unpack(args))
            assert.same({3, 1}, {table.unpack(repeated:stride())}, name)
            assert.same({0, 2}, {table.unpack(tocha[name](tocha.zeros(2, 0):t(), table.unpack(args)).shape)}, name)
        end
        assert.equal(image, tocha.zeros_like(image))
        assert.equal(image + 3, tocha.full_like(image, 3))
    end)

    it("are leaves of their own in any memory order", function()
        local x = tocha.arange(6):to("float32"):view(2, 3):t()
        for name, args in pairs(forms) do
            args = {table.unpack(args)}
            args[#args + 1] = {requires_grad = true, dtype = "float32"}
            local y = tocha[name](x, table.unpack(args))
            assert.is_true(y.is_leaf and y.requires_grad, name);
            (y * x):sum():backward()
            assert.equal(x, y.grad, name)
        end
        local w = x:clone():requires_grad_()
        local y = tocha.zeros_like(x)
        y:add_(w):mul_(w)
        assert.equal("mul", y.grad_fn:name())
        y:sum():backward()
        assert.equal(2 * x, w.grad)
        assert.matches("only floating%-point and complex",
            message(tocha.zeros_like, x:to("int64"), {requires_grad = true}))
    end)

    it("keep the order of each sample under vmap", function()
        local x = tocha.arange(24):to("float32"):view(2, 3, 4)
        local strides
        local y = tocha.func.vmap(function(m)
            local z = tocha.ones_like(m:t())
            strides = {table.unpack(z:stride())}
            return z * m:t() + tocha.rand_like(m:t()) * 0
        end, {randomness = "different"})(x)
        assert.same({1, 4}, strides)
        assert.equal(x:transpose(2, 3), y)
    end)
end)
