local tocha = require "tocha"
local elements = require "tests.support.elements"
local expect = require "tests.support.expect"

local all, ints, floats = elements.all, elements.ints, elements.floats
local of, equal, near, tensor = elements.of, elements.equal, elements.near, elements.tensor
local numbers, map, layouts = elements.numbers, elements.map, elements.layouts
local message = expect.message
local nan, inf = 0 / 0, math.huge

describe("functions of one element", function()
    local function sigmoid(x)
        return 1 / (1 + math.exp(-x))
    end

    local function tanh(x)
        local e = math.exp(-2 * math.abs(x))
        return (x < 0 and -1 or 1) * (1 - e) / (1 + e)
    end

    local functions = {
        neg = {function(x) return -x end, -9, 9},
        abs = {math.abs, -9, 9},
        sign = {function(x) return x > 0 and 1 or x < 0 and -1 or 0 end, -9, 9},
        exp = {math.exp, -9, 9},
        log = {math.log, 1.5, 90},
        sqrt = {math.sqrt, 0, 90},
        tanh = {tanh, 0.5, 5},
        sigmoid = {sigmoid, -9, 9},
        relu = {function(x) return math.max(x, 0) end, -9, 9},
        sin = {math.sin, 0.3, 2.8},
        cos = {math.cos, -1.2, 1.2},
        square = {function(x) return x * x end, -9, 9},
        reciprocal = {function(x) return 1 / x end, 0.5, 9},
        floor = {function(x) return x // 1 end, -9, 9},
        ceil = {function(x) return -(-x // 1) end, -9, 9},
        round = {function(x) return (x + 0.5) // 1 end, -9, 9},
        trunc = {function(x) return x < 0 and -(-x // 1) or x // 1 end, -9, 9},
    }

    for name, case in pairs(functions) do
        it(name .. " agrees with Lua at every length and layout", function()
            for dtype, tolerance in pairs {float32 = 4e-7, float64 = 1e-14} do
                for _, n in ipairs {0, 1, 7, 8, 9, 31, 33, 257, 1000} do
                    local x = numbers(n, case[2], case[3], dtype)
                    near(map(case[1], x:tolist()), x[name](x), tolerance, name .. n)
                end
                local x = numbers(60, case[2], case[3], dtype):view(5, 12)
                local expected = map(case[1], of(x))
                for layout, view in pairs(layouts(x)) do
                    near(expected, view[name](view), tolerance, name .. layout)
                end
                local scalar = x[{2, 3}]
                near({case[1](scalar:item())}, scalar[name](scalar), tolerance, name)
                local repeated = scalar:expand(2, 300)
                near({case[1](scalar:item())}, repeated[name](repeated)[{2, 299}], tolerance, name)
            end
        end)
    end

    it("rounds halves to even", function()
        equal({2, 2, -2, 0, 0, 4}, tensor({1.5, 2.5, -2.5, 0.5, -0.5, 3.5}):round())
    end)

    it("lets NaN and infinities through", function()
        local x = tensor({nan, inf, -inf, -0.0, 0.0})
        equal({nan, 1, -1, 0, 0}, x:sign())
        equal({nan, inf, 0, 0, 0}, x:relu())
        equal({nan, inf, 0, 1, 1}, x:exp())
        equal({nan, inf, nan, -inf, -inf}, x:log())
        equal({nan, 1, -1, 0, 0}, x:tanh())
        equal({nan, nan, nan, 0, 0}, x:sin())
        equal({true, false, false, false, false}, x:isnan())
        equal({false, true, true, false, false}, x:isinf())
        equal({false, false, false, true, true}, x:isfinite())
        equal({false, false, false, true, true}, x:logical_not())
    end)

    it("finds sines of huge numbers", function()
        for _, dtype in ipairs {"float32", "float64"} do
            local x = numbers(700, 0.1, 0.9, dtype)
            x[300] = 1e22
            local value = x:to("float64"):tolist()
            near(map(math.sin, value), x:sin(), dtype == "float32" and 2e-7 or 5e-16, dtype)
            near(map(math.cos, value), x:cos(), dtype == "float32" and 2e-7 or 5e-16, dtype)
        end
    end)

    it("tests integers too", function()
        for _, dtype in ipairs {"bool", table.unpack(ints)} do
            local x = tensor({0, 1, 1}, dtype)
            equal({false, false, false}, x:isnan())
            equal({false, false, false}, x:isinf())
            equal({true, true, true}, x:isfinite())
            equal({true, false, false}, x:logical_not())
            assert.equal("bool", x:logical_not().dtype)
        end
    end)

    it("wraps integers around", function()
        equal({-128, -127, 1}, tensor({-128, 127, -1}, "int8"):neg())
        equal({-128, 127, 1}, tensor({-128, 127, -1}, "int8"):abs())
        equal({255, 1, 0}, tensor({1, 255, 0}, "uint8"):neg())
        equal({math.mininteger}, tensor({math.mininteger}, "int64"):neg())
        equal({math.mininteger}, tensor({math.mininteger}, "int64"):abs())
        equal({100 * 100 % 256, 1}, tensor({100, 255}, "uint8"):square())
        equal({-1, 0, -6}, tensor({0, -1, 5}, "int16"):bitwise_not())
        equal({true, false}, tensor({false, true}):bitwise_not())
        for _, dtype in ipairs(ints) do
            equal({5, 0}, tensor({5, 0}, dtype):floor())
            assert.equal(dtype, tensor({5, 0}, dtype):round().dtype)
        end
    end)

    it("makes floats of integers where the result needs them", function()
        for _, name in ipairs {"exp", "log", "sqrt", "tanh", "sigmoid", "sin", "cos", "reciprocal"} do
            for _, dtype in ipairs {"bool", "uint8", "int64"} do
                assert.equal("float32", tensor({1, 1}, dtype)[name](tensor({1, 1}, dtype)).dtype)
            end
        end
    end)

    it("refuses bool where it means nothing", function()
        local b = tensor({true, false})
        for _, name in ipairs {"neg", "abs", "sign", "relu", "floor", "square"} do
            assert.matches("^" .. name .. ": input must be .*, got bool$", message(b[name], b))
        end
        assert.matches("^bitwise_not: input must be bool, uint8, int8, int16, int32, int64, got float32$",
            message(function() return tensor({1.5}):bitwise_not() end))
    end)

    it("computes halves in float and rounds once", function()
        local x = tensor({1.0, 2.0, 3.0, -0.5}, "float16")
        near(map(math.exp, {1, 2, 3, -0.5}), x:exp(), 2 ^ -11, "exp")
        assert.equal("float16", x:exp().dtype)
        local b = numbers(300, 1, 2, "bfloat16")
        near(map(math.log, of(b)), b:log(), 2 ^ -8, "log")
        equal(of(b:log()), layouts(b:view(10, 30)).strided:log())
        equal(of(b:log()), layouts(b:view(10, 30)).transposed:log())
    end)

    it("works in place, on views too", function()
        local x = tensor({{1.0, 4.0}, {9.0, 16.0}})
        local column = x:select(2, 2)
        assert.equal(column, column:sqrt_())
        equal({1, 2, 9, 4}, x)
        x:t():neg_()
        equal({-1, -2, -9, -4}, x)
        assert.matches("^sqrt_: the result is float32 and does not fit into a int64 tensor",
            message(function() tocha.arange(3):sqrt_() end))
    end)
end)

describe("functions of two elements", function()
    local function wrap8(x, unsigned)
        x = x & 255
        return (unsigned or x < 128) and x or x - 256
    end

    local operators = {
        add = function(a, b) return a + b end,
        sub = function(a, b) return a - b end,
        mul = function(a, b) return a * b end,
        floor_divide = function(a, b) return b == 0 and 0 or a // b end,
        remainder = function(a, b) return b == 0 and 0 or a % b end,
        bitwise_and = function(a, b) return a & b end,
        bitwise_or = function(a, b) return a | b end,
        bitwise_xor = function(a, b) return a ~ b end,
        maximum = math.max,
        minimum = math.min,
    }
    local comparisons = {
        eq = function(a, b) return a == b end,
        ne = function(a, b) return a ~= b end,
        lt = function(a, b) return a < b end,
        le = function(a, b) return a <= b end,
        gt = function(a, b) return a > b end,
        ge = function(a, b) return a >= b end,
        logical_and = function(a, b) return a ~= 0 and b ~= 0 end,
        logical_or = function(a, b) return a ~= 0 or b ~= 0 end,
    }

    local function every_byte(dtype)
        local low = dtype == "int8" and -128 or 0
        return tocha.arange(low, low + 255, {dtype = dtype}), low
    end

    for name, fn in pairs(operators) do
        it(name .. " is right for all pairs of bytes", function()
            for _, dtype in ipairs {"int8", "uint8"} do
                local x, low = every_byte(dtype)
                local divides = name == "floor_divide" or name == "remainder"
                local y = divides and tocha.where(x:eq(0), 1, x):to(dtype) or x
                local got = x[name](x:view(256, 1), y):tolist()
                for i = 1, 256 do
                    for j = 1, 256 do
                        local b = low + j - 1
                        b = divides and b == 0 and 1 or b
                        local expected = wrap8(fn(low + i - 1, b), dtype == "uint8")
                        if expected ~= got[i][j] then
                            error(("%s %d %d: %d"):format(dtype, low + i - 1, b, got[i][j]))
                        end
                    end
                end
            end
        end)
    end

    for name, fn in pairs(comparisons) do
        it(name .. " is right for all pairs of bytes and special numbers", function()
            for _, dtype in ipairs {"int8", "uint8"} do
                local x, low = every_byte(dtype)
                local result = x[name](x:view(256, 1), x)
                assert.equal("bool", result.dtype)
                local got = result:tolist()
                for i = 1, 256 do
                    for j = 1, 256 do
                        assert(fn(low + i - 1, low + j - 1) == got[i][j], dtype)
                    end
                end
            end
            local specials = {nan, inf, -inf, -0.0, 0.0, 1.5}
            for _, dtype in ipairs(floats) do
                local x = tensor(specials, dtype)
                local expected = {}
                for _, a in ipairs(specials) do
                    for _, b in ipairs(specials) do
                        expected[#expected + 1] = fn(a, b)
                    end
                end
                equal(expected, x[name](x:view(6, 1), x), dtype)
            end
        end)
    end

    it("wraps wide integers as Lua does", function()
        local a, b = math.maxinteger, 0x123456789abcdef
        local x, y = tensor({a, b}, "int64"), tensor({b, b}, "int64")
        equal({a + b, b + b}, x + y)
        equal({a - b, 0}, x - y)
        equal({a * b, b * b}, x * y)
        equal({b * b * b}, tensor({b}, "int64") ^ 3)
        equal({math.mininteger}, tensor({math.mininteger}, "int64") // -1)
        equal({0}, tensor({math.mininteger}, "int64") % -1)
        equal({-2147483648}, tensor({2147483647}, "int32") + 1)
    end)

    it("takes every layout and broadcast on either side", function()
        local x, y = numbers(60, -9, 9):view(5, 12), numbers(60, 1, 9):view(5, 12)
        local expected = {}
        local a, b = of(x), of(y)
        for i = 1, 60 do
            expected[i] = a[i] - b[i]
        end
        for name, u in pairs(layouts(x)) do
            for other, v in pairs(layouts(y)) do
                equal(expected, u - v, name .. other)
            end
        end
        for _, dtype in ipairs {"float32", "float16", "int32"} do
            local m = tocha.arange(60):view(5, 12):to(dtype)
            local row, column = tocha.arange(12):to(dtype), tocha.arange(5):to(dtype):view(5, 1)
            local rows, columns = row:expand(5, 12):contiguous(), column:expand(5, 12):contiguous()
            equal(of(m - rows), m - row)
            equal(of(rows - m), row - m)
            equal(of(m - columns), m - column)
            equal(of(columns - m), column - m)
            equal(of(columns - rows), column - row)
            local single = tensor({3}, dtype)
            equal(of(m - single:expand(5, 12):contiguous()), m - single)
            equal(of(single:expand(5, 12):contiguous() - m), single - m)
            equal(of(single:expand(5, 12):contiguous() * 0), single:expand(5, 12) - single)
        end
    end)

    it("divides truly", function()
        equal({0.5, 1.5}, tensor({1, 3}) / 2)
        assert.equal("float32", (tensor({1}) / tensor({2})).dtype)
        equal({inf, -inf, nan}, tensor({1, -1, 0}) / 0)
        assert.equal("float64", (tensor({1}, "float64") / 2).dtype)
    end)

    it("divides floats downwards, with the rest exact", function()
        local values = {7.5, -7.5, 0.3, -0.3, 1e30, -1e30, 1, 5e-324, 123456789.125, 0, 1e300, 17}
        local divisors = {2, -2, 0.1, -0.1, 3, 7e-5, 1e10, -13, inf, -inf}
        for _, dtype in ipairs {"float64", "float32"} do
            local x, y = tensor(values, dtype), tensor(divisors, dtype)
            local a, b = x:tolist(), y:tolist()
            local rest, quotient = {}, {}
            for i = 1, #a do
                for j = 1, #b do
                    rest[#rest + 1] = a[i] % b[j]
                    local whole = math.fmod(a[i], b[j])
                    whole = (a[i] - whole) / b[j]
                    whole = whole - (a[i] % b[j] ~= math.fmod(a[i], b[j]) and 1 or 0)
                    quotient[#quotient + 1] = whole
                end
            end
            rest = tensor(rest, dtype):tolist()
            equal(rest, x:view(#a, 1) % y, dtype)
            local eps = dtype == "float64" and 1e-15 or 2e-7
            near(quotient, x:view(#a, 1) // y, eps, dtype)
            for i = 1, #a do
                for j = 1, #b do
                    equal({rest[(i - 1) * #b + j]}, x[i] % y[j], dtype)
                end
            end
        end
        equal({inf, -inf, nan, nan}, tensor({1.0, -1.0, 0.0, nan}) // 0)
        equal({nan, nan, nan}, tensor({1.0, -1.0, inf}) % tensor({0.0, 0.0, 2.0}))
    end)

    it("refuses to divide integers by zero, before it writes", function()
        local x = tensor({4, 6})
        local text = "^floor_divide: other has a 0, and integers cannot be divided by it"
        assert.matches(text, message(function() return x // 0 end))
        assert.matches(text, message(function() return x // tensor({2, 0}, "int8") end))
        assert.matches("^remainder: other has a 0", message(function() return x % tensor({{1}, {0}}) end))
        assert.is_false(pcall(x.floor_divide_, x, tensor({2, 0})))
        equal({4, 6}, x)
        equal({}, tocha.empty(0, {dtype = "int32"}) // tensor({0}, "int32"))
    end)

    it("raises a number to the power of a half without dims", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            for _, y in ipairs {-2, -1, -0.5, 0, 0.5, 1, 2, 3} do
                local z = tocha.pow(4, tocha.tensor(y, {dtype = dtype}))
                assert.equal(dtype, z.dtype)
                assert.equal(4 ^ y, z:item())
            end
        end
    end)

    it("raises to powers", function()
        local x = numbers(300, 0.1, 4)
        for _, y in ipairs {0, 1, 2, 3, 0.5, -1, -0.5, -2, 1.7} do
            near(map(function(v) return v ^ y end, x:tolist()), x ^ y, 1e-14, "power " .. y)
            local exponents = tocha.full({300}, y, {dtype = "float64"})
            near(map(function(v) return v ^ y end, x:tolist()), x ^ exponents, 1e-14, "powers " .. y)
        end
        equal({1, 1, nan, -8, inf}, tensor({nan, 0.0, -2.0, -2.0, 0.0}) ^ tensor({0.0, 0.0, 0.5, 3.0, -1.0}))
        equal({1, 0, 8, 81}, tensor({0, 0, 2, 3}) ^ tensor({0, 3, 3, 4}))
        equal({2, 4, 8}, 2 ^ tensor({1, 2, 3}))
        assert.equal("int16", (tensor({3}, "int16") ^ 2).dtype)
        assert.matches("^pow: integers cannot have negative powers", message(function() return tensor({2}) ^ -1 end))
        assert.matches("^pow: integers cannot", message(function() return tensor({2, 2}) ^ tensor({3, -1}) end))
    end)

    it("lets NaN win over maximum and minimum", function()
        local a, b = tensor({nan, 1.0, 3.0, -inf, nan}), tensor({1.0, nan, 2.0, inf, nan})
        for _, dtype in ipairs(floats) do
            local x, y = a:to(dtype), b:to(dtype)
            equal({nan, nan, 3, inf, nan}, x:maximum(y))
            equal({nan, nan, 2, -inf, nan}, x:minimum(y))
        end
        equal({true, true}, tensor({true, false}):maximum(tensor({false, true})))
        equal({false, true}, tensor({false, true}):minimum(tensor({true, true})))
    end)

    it("adds with a factor", function()
        local x, y = tensor({1, 2}), tensor({10, 20})
        equal({21, 42}, x:add(y, {alpha = 2}))
        equal({-19, -38}, x:sub(y, {alpha = 2}))
        equal({6, 12}, x:to("float32"):add(y, 0.5))
        equal({6, 12}, x:to("float16"):add(y:to("float16"), 0.5))
        equal({237, 218}, x:to("uint8"):sub(y:to("uint8"), {alpha = 2}))
        equal({-99, -98}, x:sub(50, {alpha = 2}))
        local m = numbers(600, -1, 1):view(20, 30)
        equal(of(m + m:t():contiguous():t() * 4), m:add(m:t():contiguous():t(), 4))
        equal({true, false}, tensor({true, false}):add(tensor({true, true}), 0))
        assert.matches("^add: alpha must be an integer for int64 tensors, got 0.5$",
            message(function() return x:add(y, 0.5) end))
    end)

    it("adds bools as or, multiplies them as and, and does not subtract them", function()
        local a, b = tensor({true, true, false, false}), tensor({true, false, true, false})
        equal({true, true, true, false}, a + b)
        equal({true, false, false, false}, a * b)
        equal({false, true, true, false}, a:bitwise_xor(b))
        equal({0, 0, -1, -1}, a - 1)
        assert.matches("^sub: input must be .*, got bool$", message(function() return a - b end))
    end)

    it("rounds halves once", function()
        equal({1, 1 + 2 ^ -9, inf}, tensor({1, 1 + 2 ^ -10, 60000}, "float16")
            + tensor({2 ^ -11, 2 ^ -11, 60000}, "float16"))
        equal({256, 260}, tensor({256, 258}, "bfloat16") + tensor({1, 1}, "bfloat16"))
        local x = numbers(500, -4, 4, "float16")
        equal(of((x:to("float32") * x:to("float32")):to("float16")), x * x)
    end)

    it("says which shapes do not fit", function()
        assert.matches("^add: shapes 2x3 and 2 do not broadcast",
            message(function() return tocha.zeros(2, 3) + tocha.zeros(2) end))
        assert.matches("^add_: the result has shape 2x3 and does not fit into one of 3$",
            message(function() return tocha.zeros(3):add_(tocha.zeros(2, 3)) end))
    end)

    it("writes in place, also from overlapping views of itself", function()
        local x = tocha.arange(6):to("float32")
        x:slice(1, 2, 6):add_(x:slice(1, 1, 5))
        equal({1, 3, 5, 7, 9, 11}, x)
        local m = tocha.arange(9):view(3, 3)
        m:add_(m:t())
        equal({2, 6, 10, 6, 10, 14, 10, 14, 18}, m)
        m:mul_(m:select(1, 1))
        equal({4, 36, 100, 12, 60, 140, 20, 84, 180}, m)
        local mask = tocha.arange(3)
        equal({0, 1, 0}, mask:eq_(2))
        assert.equal("int64", mask.dtype)
    end)

    it("promotes as PyTorch does", function()
        local function dtype_of(a, b)
            return (a + b).dtype
        end
        local one = {}
        for _, name in ipairs(all) do
            one[name] = tensor({1}, name)
        end
        assert.equal("int16", dtype_of(one.uint8, one.int8))
        assert.equal("int32", dtype_of(one.uint8, one.int32))
        assert.equal("float32", dtype_of(one.float16, one.bfloat16))
        assert.equal("float16", dtype_of(one.float16, one.int64))
        assert.equal("float64", dtype_of(one.float32, one.float64))
        assert.equal("uint8", dtype_of(one.bool, one.uint8))
        assert.equal("int32", dtype_of(one.int32, tensor(5, "int64")))
        assert.equal("float32", dtype_of(one.float32, tensor(5, "float64")))
        assert.equal("float64", dtype_of(one.int32, tensor(5, "float64")))
        assert.equal("uint8", dtype_of(one.uint8, 5))
        assert.equal("float32", dtype_of(one.uint8, 5.5))
        assert.equal("float16", dtype_of(one.float16, 5.5))
        assert.equal("int64", dtype_of(one.bool, 5))
        assert.equal("bool", (one.int8:lt(one.float64)).dtype)
        equal({false}, tensor({2}):eq(2.5))
    end)
end)

