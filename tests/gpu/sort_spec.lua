--- Sorting, ranks and searching on the device against the CPU, on rows of every way that they can go.

local tocha = require "tocha"

--- Numbers with repeats, nans, infinities and both zeros among them.
local function numbers(dtype, ...)
    tocha.manual_seed(7)
    local x = (tocha.randn(...) * 300):round()
    if dtype == "bool" then
        return x:gt(0)
    end
    if not dtype:find("float") then
        return x:clamp(-100, 100):abs():to(dtype) - (dtype == "uint8" and 0 or 50)
    end
    x = x * 0.5
    local flat = x:view(-1)
    local n = flat:numel()
    flat[3], flat[n - 1] = 0 / 0, -0.0
    flat[7 % n + 1], flat[11 % n + 1], flat[n // 2] = math.huge, -math.huge, -(0 / 0)
    return x:to(dtype)
end

--- The same bits, whatever is a nan.
local function same(got, want)
    got = got:cpu()
    assert.are.equal(tostring(want.shape), tostring(got.shape))
    if want.dtype:find("float") then
        local nan = want:isnan()
        assert.is_true(got:isnan() == nan)
        got, want = got:masked_fill(nan, 0), want:masked_fill(nan, 0)
    end
    assert.is_true(got:contiguous():tobytes() == want:contiguous():tobytes())
end

local function check(f, x, ...)
    local want, got = {f(x, ...)}, {f(x:cuda(), ...)}
    for i in ipairs(want) do
        same(got[i], want[i])
    end
end

local dtypes = {"float32", "float64", "float16", "bfloat16", "bool", "uint8", "int8", "int16", "int32", "int64"}

describe("on a CUDA device", function()
    for _, dtype in ipairs(dtypes) do
        it("rows are sorted in " .. dtype, function()
            for _, shape in ipairs {{2, 3}, {1, 17}, {3, 1000}, {40, 65}, {2, 2048}, {2, 2049}, {2, 5000}} do
                local x = numbers(dtype, table.unpack(shape))
                check(tocha.sort, x, 2)
                check(tocha.sort, x, 2, true)
                check(tocha.mode, x, 2)
            end
            check(tocha.sort, numbers(dtype, 30000), 1)
        end)

        it("ranks are found in " .. dtype, function()
            for _, n in ipairs {9, 2048, 2500, 9000} do
                local x = numbers(dtype, 2, n)
                for _, k in ipairs {1, n // 9, n // 2, n} do
                    check(tocha.topk, x, math.max(k, 1), 2)
                    check(tocha.topk, x, math.max(k, 1), 2, false)
                    check(tocha.kthvalue, x, math.max(k, 1), 2)
                end
                check(tocha.median, x, 2)
                check(tocha.nanmedian, x, 2)
                check(tocha.median, x:t(), 1)
                check(tocha.median, x)
                check(tocha.nanmedian, x:t())
            end
        end)
    end

    it("rows of nothing but nan have a median", function()
        for _, n in ipairs {5, 5000} do
            local x = tocha.full({2, n}, 0 / 0)
            check(tocha.nanmedian, x, 2)
            check(tocha.median, x, 2)
            x[2][n - 2] = 1
            check(tocha.nanmedian, x, 2)
        end
    end)

    it("strided rows, and results that lack the dim", function()
        local x = numbers("float32", 4, 3000, 3)
        check(tocha.sort, x, 2)
        check(tocha.topk, x, 7, 2)
        check(tocha.mode, x, 2)
        check(tocha.kthvalue, x:permute(3, 2, 1), 1500, 2, true)
        check(tocha.median, x, 2, true)
    end)

    it("unique, quantile and histc", function()
        local x = numbers("int32", 5000)
        local want, got = {x:unique(true, true, true)}, {x:cuda():unique(true, true, true)}
        for i in ipairs(want) do
            same(got[i], want[i])
        end
        local y = tocha.randn(3, 4000)
        check(tocha.quantile, y, 0.3, 2)
        check(tocha.histc, y, 50)
        check(tocha.histc, y:t(), 6000, -1, 2)
        assert.has_error(function() y:fill_(0 / 0):cuda():histc(4) end)
    end)

    it("searchsorted goes through a sorter, and reports its wrong positions", function()
        local x, v = numbers("float64", 300):narrow(1, 20, 60):clone(), tocha.randn(20, 30):mul(100):to("float64")
        local order = x:argsort()
        check(function(a) return a:searchsorted(v:to {device = a.device}, order:to {device = a.device}) end, x)
        order[5] = 61
        local bad = order:cuda()
        local ok, message = pcall(function()
            return x:cuda():searchsorted(v:cuda(), bad):cpu()
        end)
        assert.is_false(ok)
        local _, want = pcall(tocha.searchsorted, x, v, order)
        assert.is_truthy(message:find(tostring(want):match("searchsorted: [^\n]+"), 1, true))
    end)
end)
