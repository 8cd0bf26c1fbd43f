--- The harness finds what it is there to find.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local checks = require "tests.harness.checks"
local compare = require "tests.harness.compare"
local gradcheck = require "tests.harness.gradcheck"
local layouts = require "tests.harness.layouts"
local report = require "tests.harness.report"
local values = require "tests.harness.values"

local function find(name)
    for _, op in ipairs((cases.ops())) do
        if op.name == name then
            return op
        end
    end
end

--- How many problems a check finds while an operator's function is replaced.
local function problems_with(name, check, replacement)
    local original = tocha[name]
    tocha[name] = replacement
    local found = report.new({name = "self test"})
    local ok, message = pcall(check, find(name), found)
    tocha[name] = original
    assert(ok, message)
    return #found.problems
end

describe("the harness", function()
    it("finds values that are slightly wrong, shapes, dtypes and changed arguments", function()
        local exp = tocha.exp
        assert.are.equal(0, problems_with("exp", checks.values, exp))
        assert.is_true(problems_with("exp", checks.values, function(x) return exp(x) * (1 + 1e-4) end) > 0)
        assert.is_true(problems_with("exp", checks.values, function(x) return exp(x):unsqueeze(1) end) > 0)
        assert.is_true(problems_with("exp", checks.values, function(x) return exp(x):to("float64") end) > 0)
        assert.is_true(problems_with("exp", checks.values, function(x)
            local y = exp(x)
            x:fill_(0)
            return y
        end) > 0)
        assert.is_true(problems_with("exp", checks.strided, function(x) return exp(x:contiguous()) end) == 0)
        assert.is_true(problems_with("exp", checks.strided, function(x)
            return exp(x:is_contiguous() and x or x:t():contiguous())
        end) > 0)
        local sum = tocha.sum
        assert.is_true(problems_with("sum", checks.errors, function(x) return sum(x) end) > 0)
        assert.is_true(problems_with("sum", checks.errors, function() error("sum: something is wrong") end) > 0)
    end)

    it("finds gradients that are wrong, to first and to second order", function()
        local function leaf() return tocha.tensor({0.5, -1.5, 2}, {dtype = "float64"}):requires_grad_() end
        assert.is_nil(gradcheck.first(function(x) return x * x end, {leaf()}))
        assert.is_nil(gradcheck.second(function(x) return x ^ 3 end, {leaf()}))
        assert.is_string(gradcheck.first(function(x) return x * x:detach() end, {leaf()}))
        assert.is_string(gradcheck.first(function(x) return x:gt(0) end, {leaf()}))
        assert.is_string(gradcheck.parts(function(x, y)
            return x * (y.requires_grad and 2 or 3) + y
        end, {leaf(), leaf()}, 1))
    end)

    it("compares halfs within one rounding, integers exactly, nan with nan", function()
        assert.is_nil(compare.elements({1.0009765625}, {1.0007}, "float16", {}))
        assert.is_string(compare.elements({1.0009765625}, {1.0004}, "float16", {}))
        assert.is_nil(compare.elements({math.huge}, {65520.0}, "float16", {}))
        assert.is_string(compare.elements({65504.0}, {65521.0}, "float16", {}))
        assert.is_string(compare.elements({2}, {3}, "int64", {}))
        assert.is_nil(compare.elements({0 / 0}, {0 / 0}, "float32", {}))
        assert.is_string(compare.elements({0 / 0}, {1.0}, "float32", {}))
        assert.is_string(compare.elements({1.0}, {0 / 0}, "float32", {}))
        assert.is_string(compare.elements({math.huge}, {1.0}, "float32", {}))
        assert.is_string(compare.elements({1.0}, {1.0, 2.0}, "float32", {}))
        assert.is_string(compare.elements({1.00001}, {1.0}, "float32", {}))
        assert.is_string(compare.elements({1.000000001}, {1.0}, "float64", {}))
    end)

    it("makes strides that are what they say", function()
        local t = tocha.arange(6):view(2, 3)
        assert.is_nil(compare.same(layouts.transposed(t), t))
        assert.is_nil(compare.same(layouts.sliced(t), t))
        assert.is_false(layouts.transposed(t):is_contiguous())
        assert.is_false(layouts.sliced(t):is_contiguous())
        assert.is_true(layouts.sliced(t):storage_offset() > 0)
        assert.are.equal(0, layouts.expanded(t):stride(1))
    end)

    it("makes the same samples every time, exact in every dtype", function()
        local spec = values.random {5, 7}
        assert.are.same(spec:flat("float", "a"), spec:flat("float", "a"))
        assert.are_not.same(spec:flat("float", "a"), spec:flat("float", "b"))
        local wide = spec:tensor("float64", "a")
        for _, dtype in ipairs {"float16", "bfloat16", "float32"} do
            assert.is_nil(compare.same(spec:tensor(dtype, "a"):to("float64"), wide))
        end
        local distinct = values.random({40, distinct = true, ints = {-20, 19}}):flat("int", "a")
        table.sort(distinct)
        for i = 1, 40 do
            assert.are.equal(i - 21, distinct[i])
        end
    end)

    it("fails a test that compares nothing or finds something", function()
        local empty = report.new({name = "self test"})
        assert.has_error(function() empty:finish() end)
        empty:add("x", nil)
        empty:finish()
        empty:try("y", error, "broken")
        assert.has_error(function() empty:finish() end)
    end)
end)
