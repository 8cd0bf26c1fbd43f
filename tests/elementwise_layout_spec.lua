local tocha = require "tocha"
local elements = require "tests.support.elements"
local expect = require "tests.support.expect"

local all, floats = elements.all, elements.floats
local of, equal, tensor, numbers = elements.of, elements.equal, elements.tensor, elements.numbers
local map = elements.map
local message = expect.message
local nan, inf = 0 / 0, math.huge

describe("large and odd-shaped operands", function()
    local function expected_sum(u, v)
        local a, b, sum = of(u), of(v), {}
        for i = 1, #a do
            sum[i] = a[i] + b[i]
        end
        return sum
    end

    it("adds across layouts", function()
        local m = tocha.arange(300 * 170):view(300, 170)
        local n = tocha.arange(300 * 170):view(170, 300):t()
        for _, dtype in ipairs {"int64", "int32", "int16", "uint8", "float16"} do
            local u, v = m:to(dtype), n:contiguous():to(dtype):t():contiguous():t()
            equal(of(u + v:contiguous()), u + v, dtype)
            equal(of(v:contiguous()), v, dtype)
        end
        equal(expected_sum(m, n), m + n)
        equal(expected_sum(n, m), n + m)
    end)

    it("adds short rows", function()
        local m = tocha.arange(3000):view(1000, 3)
        local row = tocha.arange(3)
        equal(expected_sum(m, row:expand(1000, 3)), m + row)
        local half = tocha.arange(500):view(500, 1)
        equal(expected_sum(m:slice(1, 1, 500), half:expand(500, 3)), m:slice(1, 1, 500) + half)
        local image = tocha.arange(2 * 3 * 40 * 50):view(2, 3, 40, 50):permute(1, 3, 4, 2)
        local copy = image:contiguous()
        equal(of(image), copy)
        equal(expected_sum(image, row:expand(2, 40, 50, 3)), copy + row)
        equal(expected_sum(image, row:expand(2, 40, 50, 3)), image + row)
    end)

    it("writes short rows into memory that keeps them apart", function()
        for columns = 1, 9 do
            for _, rows in ipairs {3, 40, 1500} do
                local whole = tocha.arange(rows * 3 * (columns + 2)):view(rows, 3, columns + 2)
                local part = whole:narrow(3, 2, columns)
                local other = tocha.arange(rows * columns):view(rows, 1, columns)
                local sum = expected_sum(part:select(2, 2), other:select(2, 1))
                local before = whole:clone()
                part:narrow(2, 2, 1):add_(other)
                equal(sum, part:select(2, 2))
                whole:narrow(2, 2, 1):narrow(3, 2, columns):sub_(other)
                assert.equal(before, whole)
                part:copy_(other)
                assert.equal(other:expand(rows, 3, columns), part)
                assert.equal(before:narrow(3, 1, 1), whole:narrow(3, 1, 1))
                assert.equal(before:narrow(3, columns + 2, 1), whole:narrow(3, columns + 2, 1))
                part:transpose(1, 2):fill_(7)
                assert.equal(rows * 3 * columns, part:eq(7):sum():item())
                assert.equal(before:narrow(3, 1, 1), whole:narrow(3, 1, 1))
            end
        end
    end)

    it("rounds to bfloat16 the same way in runs of any length and one by one", function()
        tocha.manual_seed(5)
        local x = tocha.randn(200) * tocha.exp(tocha.randn(200) * 40)
        local odd = {1 + 2.0 ^ -8, 1 + 3 * 2.0 ^ -8, 1 + 2.0 ^ -8 + 2.0 ^ -20, 3.4e38, -3.4e38, inf, -inf, nan, 0.0,
            -0.0, 2.0 ^ -149, 2.0 ^ -133, 3 * 2.0 ^ -134, -1e-40}
        for i, value in ipairs(odd) do
            x[i], x[i + 100] = value, value
        end
        local whole = x:to("bfloat16")
        for i = 1, 200 do
            local one, among = x[i]:to("bfloat16"):item(), whole[i]:item()
            assert.is_true(one == among or (one ~= one and among ~= among), i)
        end
        assert.equal("1.0 1.015625 1.0078125 inf -inf", ("%s %s %s %s %s"):format(table.unpack(whole:tolist(), 1, 5)))
        assert.is_true((x * 1):to("bfloat16"):narrow(1, 17, 80) == x:narrow(1, 17, 80):to("bfloat16"))
    end)

    it("adds under all permutations of up to 8 dims", function()
        tocha.manual_seed(3)
        for _ = 1, 60 do
            local dim = tocha.randint(8, {1})[1]:item()
            local size, order = {}, tocha.randperm(dim):tolist()
            for i = 1, dim do
                size[i] = tocha.randint(dim > 4 and 3 or 9, {1})[1]:item()
            end
            local x = tocha.randint(-100, 100, size):permute(order)
            local y = tocha.randint(-100, 100, x.shape)
            for i = 1, dim do
                if i % 3 == 0 then
                    y = y:narrow(i, 1, 1)
                end
            end
            equal(expected_sum(x, y:expand(x.shape)), x + y)
            equal(expected_sum(x, y:expand(x.shape)), y + x)
        end
    end)

    it("does not depend on the number of threads", function()
        local threads = tocha.get_num_threads()
        local x = numbers(1000, -3, 3, "float32"):expand(400, 1000):contiguous()
        local y = x:view(1000, 400):t()
        local function results()
            return {x:exp(), x + y, (x * 3):gt(y), y:contiguous(), x:to("float16"):tanh(), x // 0.7, x ^ 2.5}
        end
        tocha.set_num_threads(1)
        local single = results()
        tocha.set_num_threads(3)
        local several = results()
        tocha.set_num_threads(threads)
        for i, t in ipairs(single) do
            assert.is_true(t:view(-1):eq(several[i]:view(-1)):logical_or(t:view(-1):isnan()):all():item(), i)
        end
    end)

    it("takes empty tensors", function()
        for _, dtype in ipairs(all) do
            local x = tocha.empty(3, 0, 2, {dtype = dtype})
            assert.equal("3x0x2", tostring((x + x).shape))
            assert.equal("3x0x2", tostring(x:eq(x:select(1, 1)).shape))
            assert.equal("3x0x2", tostring(tocha.where(x:eq(x), x, x).shape))
            assert.equal("3x0x2", tostring(x:to("float32"):exp().shape))
        end
    end)
end)

describe("cast and copy", function()
    it("converts between all dtypes", function()
        local integers = {0, 1, 2, 100}
        for _, from in ipairs(all) do
            for _, to in ipairs(all) do
                local values = from == "bool" and {0, 1, 1, 1} or integers
                local expected = {}
                for i, v in ipairs(values) do
                    if to == "bool" then
                        expected[i] = v ~= 0
                    else
                        expected[i] = v
                    end
                end
                local x = tensor(integers, from)
                local y = x:cast(to)
                assert.equal(to, y.dtype)
                equal(expected, y, from .. to)
                local strided = tocha.zeros(4, 2, {dtype = from})
                strided:select(2, 2):copy_(x)
                equal(expected, strided:select(2, 2):cast(to), from .. to)
                equal({expected[2], expected[2]}, x[2]:expand(2):cast(to), from .. to)
            end
        end
    end)

    it("cuts fractions and wraps what is out of range", function()
        for _, dtype in ipairs(floats) do
            local x = tensor({1.5, -1.5, 0.25, -0.25}, dtype)
            for _, to in ipairs {"int8", "int16", "int32", "int64"} do
                equal({1, -1, 0, 0}, x:cast(to))
            end
            equal({true, true, true, true}, x:cast("bool"))
        end
        equal({255, 44, 0}, tensor({-1.0, 300.0, nan}):cast("uint8"))
        equal({255, 44, 0}, tensor({-1, 300, 256}):cast("uint8"))
        equal({math.mininteger, math.mininteger}, tensor({1e30, nan}):cast("int64"))
        equal({inf, -inf, 65504}, tensor({1e6, -1e6, 65519}):cast("float16"))
        equal({true, false}, tensor({nan, -0.0}):cast("bool"))
    end)

    it("keeps halves through float32 and back, bit by bit", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            local x = numbers(5000, -100, 100, dtype)
            equal(of(x), x:cast("float32"))
            equal(of(x), x:cast("float32"):cast(dtype))
        end
        equal({2 ^ -24, 0, 2 ^ -14}, tensor({2 ^ -24, 2 ^ -26, 2 ^ -14}):cast("float16"))
    end)

    it("copies with broadcast and conversion", function()
        local x = tocha.zeros(2, 3)
        x:copy_(tensor({1, 2, 3}))
        equal({1, 2, 3, 1, 2, 3}, x)
        x:t():copy_(tensor({7, 8}, "float64"))
        equal({7, 7, 7, 8, 8, 8}, x)
        x:select(2, 1):copy_(5)
        equal({5, 7, 7, 5, 8, 8}, x)
        local y = tocha.arange(6)
        y:slice(1, 2, 6):copy_(y:slice(1, 1, 5))
        equal({1, 1, 2, 3, 4, 5}, y)
        local square = tocha.arange(9):view(3, 3)
        square:copy_(square:t())
        equal({1, 4, 7, 2, 5, 8, 3, 6, 9}, square)
        assert.equal("int32", tocha.copy(tensor({1}, "int32"), tensor({2.5})).dtype)
        assert.matches("^copy_?: src of shape 4 does not broadcast to input's shape 2x3$",
            message(function() x:copy_(tocha.zeros(4)) end))
        assert.matches("^copy_?: src of shape 2x2x3 does not broadcast to input's shape 2x3$",
            message(function() x:copy_(tocha.zeros(2, 2, 3)) end))
    end)

    it("clones layouts and owns the memory", function()
        local x = tocha.arange(6):view(2, 3)
        local y = x:t():clone()
        equal({1, 4, 2, 5, 3, 6}, y)
        y:fill_(0)
        equal({1, 2, 3, 4, 5, 6}, x)
        equal({2, 4}, tocha.arange(5):slice(1, 2, 4, 2):clone())
        equal({3, 3, 3}, tensor(3):expand(3):clone())
    end)

    it("fills", function()
        for _, dtype in ipairs(all) do
            local x = tocha.zeros(3, 5, {dtype = dtype})
            x:select(2, 2):fill_(1)
            local one = dtype == "bool" and true or 1
            local zero = dtype ~= "bool" and 0
            equal({zero, one, zero, zero, zero}, x[3])
        end
        equal({inf, inf}, tocha.zeros(2):fill_(inf))
        equal({4, 4}, tocha.arange(2):fill(4))
        equal({2, 2}, tocha.arange(2):fill_(2.0))
        assert.matches("^fill_?: value must be a whole number for int64, got 1.5$",
            message(function() tocha.arange(2):fill_(1.5) end))
        assert.matches("^fill_?: value must be in %[0, 255%] for uint8, got 256$",
            message(function() tocha.zeros(2, {dtype = "uint8"}):fill_(256) end))
        assert.matches("^fill_?: value is 1e%+06, which overflows float16$",
            message(function() tocha.zeros(2, {dtype = "float16"}):fill_(1e6) end))
    end)
end)

describe("where, clamp and masked_fill", function()
    it("chooses by a broadcast mask", function()
        for _, dtype in ipairs(all) do
            local x, y = tensor({1, 0, 1}, dtype), tensor({0, 1, 0}, dtype)
            local mask = tensor({{true, false, true}, {false, false, false}})
            equal(of(tensor({1, 1, 1, 0, 1, 0}, dtype)), tocha.where(mask, x, y), dtype)
            local strided = tocha.stack({x, y}, 2):select(2, 1)
            equal(of(tensor({1, 1, 1, 0, 1, 0}, dtype)), tocha.where(mask, strided, y), dtype)
        end
        local mask = tocha.arange(600):view(20, 30):remainder(3):eq(0)
        local x = numbers(600, -1, 1):view(30, 20):t()
        local expected = {}
        for i, v in ipairs(of(x)) do
            expected[i] = i % 3 == 0 and v or 7
        end
        equal(expected, tocha.where(mask, x, 7))
        equal(map(function(v) return v and 1 or 2 end, of(mask)), tocha.where(mask, 1, 2))
        equal({1, 1}, tocha.where(tensor(true):expand(2), tensor({1, 1}), 0))
    end)

    it("promotes and complains", function()
        local mask = tensor({true, false})
        assert.equal("float32", tocha.where(mask, tensor({1, 2}), 0.5).dtype)
        assert.equal("int64", tocha.where(mask, 1, 0).dtype)
        assert.equal("float32", tocha.where(mask, 1, 0.5).dtype)
        assert.equal("float64", tocha.where(mask, tensor({1, 2}), tensor({1, 2}, "float64")).dtype)
        assert.matches("^where: condition must be a bool tensor, got int64",
            message(function() tocha.where(tensor({1, 0}), 1, 2) end))
        assert.matches("^where: shapes 2, 3 and scalar of condition, input and other do not broadcast",
            message(function() tocha.where(mask, tensor({1, 2, 3}), 2) end))
    end)

    it("clamps", function()
        local x = tensor({-2.0, 0.5, 3.0, nan, inf, -inf})
        equal({-1, 0.5, 1, nan, 1, -1}, x:clamp(-1, 1))
        equal({-1, 0.5, 3, nan, inf, -1}, x:clamp(-1))
        equal({-2, 0.5, 1, nan, 1, -inf}, x:clamp {max = 1})
        equal({1, 1, 1, nan, 1, 1}, x:clamp(2, 1))
        equal({nan, nan, nan, nan, nan, nan}, x:clamp(nan, 1))
        equal({2, 5, 5}, tensor({-9, 5, 99}):clamp(2, 5))
        equal({2.5, 5, 5.5}, tensor({-9, 5, 99}):clamp(2.5, 5.5))
        equal({0, 7, 200}, tensor({0, 7, 255}, "uint8"):clamp(-5, 200))
        equal({-128, 7, 127}, tensor({-128, 7, 127}, "int8"):clamp(-1000, 1000))
        equal({1, 2, 2}, tensor({1, 2, 3}, "float16"):clamp {max = 2})
        equal({-1, 0, 1}, tensor({-3, 0, 3}):clamp_(-1, 1))
        assert.matches("^clamp: give min, max or both$", message(function() x:clamp() end))
        assert.matches("^clamp: min must be in %[0, 255%] for uint8, got 300$",
            message(function() tensor({1}, "uint8"):clamp(300) end))
        assert.matches("^clamp_: the result is float32", message(function() tensor({1}):clamp_(0.5) end))
    end)

    it("fills under a mask and keeps the dtype", function()
        local mask = tensor({true, false, true})
        for _, dtype in ipairs(all) do
            local x = tensor({1, 1, 0}, dtype)
            local y = x:masked_fill(mask, 0)
            assert.equal(dtype, y.dtype)
            equal(of(tensor({0, 1, 0}, dtype)), y)
        end
        equal({2.5, 1, 2.5}, tocha.ones(3, {dtype = "float16"}):masked_fill(mask, 2.5))
        equal({2, 1, 2}, tocha.ones(3, {dtype = "int32"}):masked_fill(mask, tensor(2.75)))
        local m = tocha.zeros(2, 3)
        assert.equal(m, m:masked_fill_(mask, -inf))
        equal({-inf, 0, -inf, -inf, 0, -inf}, m)
        assert.matches("^masked_fill: value must be a whole number for int64, got 0.5$",
            message(function() tocha.arange(3):masked_fill(mask, 0.5) end))
        assert.matches("^masked_fill: mask of shape 2x3 does not broadcast to input's shape 3$",
            message(function() tocha.arange(3):masked_fill(tocha.ones(2, 3, {dtype = "bool"}), 0) end))
        assert.matches("^masked_fill: value must be a number or a 0%-dim tensor, got shape 1$",
            message(function() tocha.arange(3):masked_fill(mask, tensor({1})) end))
    end)
end)

