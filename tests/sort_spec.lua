local tocha = require "tocha"
local expect = require "tests.support.expect"

local message, values = expect.message, expect.values
local nan, inf = 0 / 0, math.huge

--- The order that a stable sort of a list gives; nan is largest.
local function order_of(list, descending)
    local function key(v)
        return v == true and 1 or v == false and 0 or v
    end
    local order = {}
    for i = 1, #list do
        order[i] = i
    end
    local function less(a, b)
        return a == a and (b ~= b or a < b)
    end
    table.sort(order, function(i, j)
        local a, b = key(list[i]), key(list[j])
        if descending then
            a, b = b, a
        end
        if less(a, b) or less(b, a) then
            return less(a, b)
        end
        return i < j
    end)
    return order
end

local dtypes = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"}

--- n elements with many repeats, and in floats some nan and zeros of both signs.
local function mixed(n, dtype)
    local x = tocha.randint(dtype == "uint8" and 0 or -60, 60, {n}):to(dtype)
    if dtype:find("float", 1, true) then
        x = tocha.where(x:eq(7), tocha.tensor(nan, {dtype = dtype}), x)
        x = x * (tocha.randint(0, 1, {n}) * 2 - 1):to(dtype)
    end
    return x
end

describe("sort", function()
    it("is stable in every dtype, at every size, both ways", function()
        tocha.manual_seed(3)
        for _, dtype in ipairs(dtypes) do
            for _, n in ipairs {1, 2, 17, 100, 700, 5000} do
                local x = mixed(n, dtype)
                local list = x:tolist()
                for _, descending in ipairs {false, true} do
                    local sorted, indices = x:sort(1, descending)
                    local order = order_of(list, descending)
                    assert.are.same(order, indices:tolist(), dtype .. " " .. n)
                    values(x:index_select(1, indices):tolist(), sorted, dtype)
                end
            end
        end
    end)

    it("keeps the sign of zeros and the values of infinities", function()
        local sorted = tocha.tensor({inf, 0.0, -0.0, -inf, nan}):sort()
        assert.equal("-inf 0.0 -0.0 inf", table.concat({table.unpack(sorted:tolist(), 1, 4)}, " "))
    end)

    it("tells the least and greatest integers apart", function()
        local list = {math.maxinteger, -1, math.mininteger, 0, math.mininteger + 1}
        values({math.mininteger, math.mininteger + 1, -1, 0, math.maxinteger}, (tocha.tensor(list):sort()), "int64")
    end)

    it("sorts rows of any strides on any number of threads alike", function()
        tocha.manual_seed(4)
        local x = tocha.randint(0, 99, {40, 600})
        local a, ia = x:sort(2)
        local b, ib = x:t():contiguous():t():sort(2)
        local c, ic = x:t():sort(1)
        assert.is_true(a == b and ia == ib and a:t() == c and ia:t() == ic)
        local d = x:slice(2, 1, 600, 7):sort(2)
        assert.is_true(d == x:slice(2, 1, 600, 7):contiguous():sort(2))
    end)
end)

describe("topk", function()
    it("agrees with sort for few and for many of a long row", function()
        tocha.manual_seed(5)
        for _, dtype in ipairs {"float32", "int64", "uint8", "float16"} do
            local x = mixed(20000, dtype)
            for _, k in ipairs {1, 10, 1000, 4000, 12000} do
                for _, largest in ipairs {true, false} do
                    local best, at = x:topk(k, 1, largest)
                    local sorted, order = x:sort(1, largest)
                    assert.is_true(order:narrow(1, 1, k) == at, dtype .. " " .. k)
                    values(sorted:narrow(1, 1, k):tolist(), best)
                end
            end
        end
    end)

    it("stays right on rows that get better and better", function()
        local best, at = tocha.arange(30000):topk(3)
        values({30000, 29999, 29998}, best)
        values({30000, 29999, 29998}, at)
    end)
end)

describe("a rank", function()
    it("is that of the sorted row", function()
        tocha.manual_seed(6)
        for _, dtype in ipairs {"float32", "float64", "int16", "bfloat16"} do
            local x = mixed(3001, dtype)
            local sorted = x:sort()
            for _, k in ipairs {1, 2, 700, 1500, 3001} do
                local value, at = x:kthvalue(k)
                values(sorted[k]:item(), value)
                values(x[at:item()]:item(), value)
            end
            values(dtype:find("int") and sorted[1501]:item() or nan, x:median())
        end
        values(3, tocha.tensor({5., nan, 3., 1.}):nanmedian())
        values(nan, tocha.tensor({nan, nan}):nanmedian())
        values(3, tocha.tensor({{1, 2, 3}, {4, 5, 9}}):t():median())
    end)

    it("is that of the sorted row in short rows, with all elements alike or in order too", function()
        tocha.manual_seed(8)
        for _, dtype in ipairs {"float32", "float64", "uint8", "int64"} do
            for _, n in ipairs {1, 2, 3, 7, 40, 256, 257, 700} do
                local rows = {
                    tocha.randint(0, 9, {n}), tocha.ones(n), tocha.arange(n), tocha.arange(n):flip(1), mixed(n, dtype),
                }
                for i, row in ipairs(rows) do
                    rows[i] = row:to(dtype)
                end
                local x = tocha.stack(rows)
                local sorted, order = x:sort(2, {stable = true})
                for k = 1, n, n > 50 and 37 or 1 do
                    local value, at = x:kthvalue(k, 2)
                    assert.is_true(at == order:select(2, k), dtype .. " " .. n .. " " .. k)
                    values(sorted:select(2, k):tolist(), value)
                end
            end
        end
    end)

    it("that does not exist is an error", function()
        assert.equal("kthvalue: k must be in [1, 3], as dim 1 has size 3; got 4",
            message(tocha.kthvalue, tocha.ones(3), 4))
        assert.equal("topk: from a scalar exactly 1 element can be taken, got k = 0",
            message(tocha.topk, tocha.tensor(1.), 0))
    end)
end)

describe("unique", function()
    it("gives what is asked for, in PyTorch's order", function()
        local x = tocha.tensor({{3, 1}, {3, 2}})
        local output, counts = x:unique{return_counts = true}
        values({1, 2, 3}, output)
        values({1, 1, 2}, counts)
        local first, inverse, third = x:unique(true, true)
        values({1, 2, 3}, first)
        values({{3, 1}, {3, 2}}, inverse)
        assert.is_nil(third)
        assert.equal(1, select("#", x:unique()))
        assert.is_true(first:index_select(1, inverse:flatten()):view(2, 2) == x)
    end)

    it("keeps each nan by itself", function()
        assert.equal(3, tocha.tensor({nan, 1., nan}):unique():numel())
    end)

    it("names an option that it does not know", function()
        assert.matches("^unique: unknown option \"inverse\"; known: input, sorted",
            message(tocha.unique, tocha.ones(2), {inverse = true}))
    end)

    it("orders slices by their elements", function()
        local x = tocha.tensor({{2, 1}, {1, 9}, {2, 0}, {1, 9}})
        local slices, inverse, counts = x:unique{dim = 1, return_inverse = true, return_counts = true}
        values({{1, 9}, {2, 0}, {2, 1}}, slices)
        values({3, 1, 2, 1}, inverse)
        values({2, 1, 1}, counts)
    end)
end)

describe("searchsorted", function()
    it("counts what is smaller, or not larger, and one", function()
        tocha.manual_seed(7)
        local steps = tocha.randint(0, 50, {301}):sort()
        local x = tocha.randint(-2, 52, {3, 700})
        local smaller = steps:view(301, 1, 1):lt(x):sum(1) + 1
        local not_larger = steps:view(301, 1, 1):le(x):sum(1) + 1
        assert.is_true(steps:searchsorted(x) == smaller)
        assert.is_true(steps:searchsorted(x, {right = true}) == not_larger)
        assert.is_true(x:bucketize(steps) == smaller)
        assert.is_true(steps:searchsorted(x:t():contiguous():t()) == smaller)
    end)

    it("follows a sorter", function()
        local x = tocha.tensor({5., 1., 3.})
        values({2, 4}, x:searchsorted(tocha.tensor({2., 9.}), {sorter = x:argsort()}))
        assert.equal("searchsorted: right and side = \"left\" contradict each other",
            message(tocha.searchsorted, x, x, {right = true, side = "left"}))
    end)
end)

describe("quantile", function()
    it("lies between neighbours as asked", function()
        local x = tocha.tensor({4., 1., 3., 2.})
        values(2.5, x:quantile(0.5))
        values(2, x:quantile(0.5, {interpolation = "lower"}))
        values(3, x:quantile(0.5, {interpolation = "higher"}))
        values(nan, tocha.tensor({1., nan}):quantile(0.5))
        assert.equal("quantile: q must be in [0, 1], got -0.1", message(tocha.quantile, x, -0.1))
        assert.matches("^quantile: input must be float32, float64, got int64",
            message(tocha.quantile, tocha.arange(3), 0.5))
    end)
end)
