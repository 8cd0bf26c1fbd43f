local tocha = require "tocha"
local gradcheck = require "tests.support.gradcheck"

--- n numbers that repeat nowhere soon, exact in every float type.
local function numbers(n, seed)
    local list = {}
    for i = 1, n do
        list[i] = (i * 37 + seed * 101) % 17 - 8
    end
    return list
end

local function matrix(rows, columns, seed, dtype)
    return tocha.tensor(numbers(rows * columns, seed), {dtype = dtype or "float64"}):view(rows, columns)
end

--- The product of two matrices by its definition, as a list of rows.
local function naive(a, b)
    local x, y, rows = a:tolist(), b:tolist(), {}
    for i = 1, a:size(1) do
        rows[i] = {}
        for j = 1, b:size(2) do
            local sum = 0
            for p = 1, a:size(2) do
                sum = sum + x[i][p] * y[p][j]
            end
            rows[i][j] = sum
        end
    end
    return rows
end

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function has(text, part)
    assert.truthy(text:find(part, 1, true), text)
end

--- The bits of t, for results that must not differ at all.
local function assert_identical(expected, t)
    assert.same(expected:tolist(), t:tolist())
end

local function with_threads(n, fn)
    local before = tocha.get_num_threads()
    tocha.set_num_threads(n)
    local result = fn()
    tocha.set_num_threads(before)
    return result
end

describe("mm", function()
    local sizes = {{1, 1, 1}, {2, 3, 4}, {8, 8, 8}, {9, 8, 8}, {5, 70, 3}, {14, 9, 32}, {15, 9, 33}, {29, 40, 65},
        {1, 50, 40}, {40, 50, 1}, {2, 1100, 3}, {100, 7, 10}}

    for _, s in ipairs(sizes) do
        local n, k, m = s[1], s[2], s[3]
        it(("agrees with its definition at %dx%d times %dx%d, in any layout"):format(n, k, k, m), function()
            for _, dtype in ipairs {"float32", "float64"} do
                local a, b = matrix(n, k, 1, dtype), matrix(k, m, 2, dtype)
                local expected = naive(a, b)
                local a_turned, b_turned = a:t():contiguous():t(), b:t():contiguous():t()
                assert.same(expected, a:mm(b):tolist())
                assert.same(expected, a_turned:mm(b):tolist())
                assert.same(expected, a:mm(b_turned):tolist())
                assert.same(expected, a_turned:mm(b_turned):tolist())
            end
        end)
    end

    it("reads operands whose strides are all larger than one, or zero", function()
        local wide = matrix(14, 22, 3)
        local a, b = wide:slice(1, 1, -1, 2):slice(2, 1, -1, 2), matrix(22, 20, 4):slice(1, 1, -1, 2):slice(2, 1, -1, 2)
        assert.same(naive(a:contiguous(), b:contiguous()), a:mm(b):tolist())
        local row = matrix(1, 11, 5):expand(7, 11)
        assert.same(naive(row:contiguous(), b:contiguous()), row:mm(b):tolist())
        local vector = matrix(30, 2, 6):select(2, 1)
        assert.same(tocha.mm(matrix(5, 30, 1), vector:reshape(30, 1)):reshape(5):tolist(),
            tocha.mv(matrix(5, 30, 1), vector):tolist())
    end)

    it("gives zeros for an empty sum and nothing for no rows", function()
        assert.same({{0, 0}, {0, 0}}, tocha.mm(tocha.ones(2, 0), tocha.ones(0, 2)):tolist())
        assert.same({0, 0}, tocha.mv(tocha.ones(2, 0), tocha.ones(0)):tolist())
        assert.equal(0, tocha.dot(tocha.ones(0), tocha.ones(0)):item())
        assert.equal("0x3", tostring(tocha.mm(tocha.ones(0, 2), tocha.ones(2, 3)).shape))
        assert.same({{7}}, tocha.addmm(tocha.tensor({7.}), tocha.ones(1, 0), tocha.ones(0, 1)):tolist())
    end)

    it("passes nan and inf on, whatever they meet", function()
        for _, n in ipairs {3, 40} do
            local a, b = tocha.zeros(n, n), tocha.ones(n, n)
            b[2][3] = 0 / 0
            local c = a:mm(b):tolist()
            for i = 1, n do
                assert.is_true(c[i][3] ~= c[i][3])
                assert.equal(0, c[i][2])
            end
        end
    end)

    it("wraps integers around, exactly", function()
        local a = tocha.tensor({{127, -128}, {3, 100}}, {dtype = "int8"})
        local b = tocha.tensor({{127, 2}, {126, -1}}, {dtype = "int8"})
        assert.same({{1, 382 - 256}, {12981 - 51 * 256, 6 - 100}}, a:mm(b):tolist())
        local big = tocha.tensor({{math.maxinteger, 2}}, {dtype = "int64"})
        assert.same({{math.maxinteger * 3 + 2 * 5}}, big:mm(tocha.tensor({{3}, {5}})):tolist())
        for _, dtype in ipairs {"uint8", "int16", "int32", "int64"} do
            local x = (tocha.arange(12) % 5):to(dtype):view(3, 4)
            assert.same(naive(x, x:t()), x:mm(x:t()):tolist())
            assert.equal(dtype, x:mm(x:t()).dtype)
        end
    end)

    it("multiplies half types in float and rounds once", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            local a, b = tocha.rand(20, 300):to(dtype), tocha.rand(300, 20):to(dtype)
            local exact = a:to("float32"):mm(b:to("float32"))
            assert_identical(exact:to(dtype), a:mm(b))
            assert_identical(exact:to(dtype), a:t():contiguous():t():mm(b))
        end
    end)

    -- Where the CPU multiplies pairs of bfloat16 numbers, these are taken as they stand: in every layout, from odd
    -- places in memory, with an odd number of summands, in several blocks of them.
    for _, size in ipairs {{5, 7, 9}, {14, 33, 32}, {29, 40, 67}, {31, 16, 2301}} do
        local m, n, k = table.unpack(size)
        it(("multiplies bfloat16 matrices in any layout: %dx%d times %dx%d"):format(m, k, k, n), function()
            local a, b = matrix(m, k, 1, "bfloat16"), matrix(k, n, 2, "bfloat16")
            local layouts = {
                function(x) return x end,
                function(x) return x:t():contiguous():t() end,
                function(x) return tocha.cat({x, x}, 2):narrow(2, x:size(2) + 1, x:size(2)) end,
                function(x) return tocha.cat({x, x}, 1):t():contiguous():t():narrow(1, x:size(1) + 1, x:size(1)) end,
                function(x) return tocha.stack({x, x}, 3):select(3, 1) end,
            }
            local wanted = tocha.matmul(a:double(), b:double()):bfloat16()
            for _, of_a in ipairs(layouts) do
                for _, of_b in ipairs(layouts) do
                    assert.is_true(tocha.equal(tocha.matmul(of_a(a), of_b(b)), wanted))
                end
            end
            local c = matrix(m, n, 3, "bfloat16")
            assert.is_true(tocha.equal(c:addmm(a, b, {beta = 2, alpha = -1}),
                (c:double() * 2 - tocha.matmul(a:double(), b:double())):bfloat16()))
        end)
    end

    it("has the same bits with any number of threads", function()
        for _, s in ipairs {{100, 1200, 90}, {300, 64, 200}, {1, 3000, 700}, {700, 3000, 1}, {64, 300, 10}} do
            local a, b = tocha.randn(s[1], s[2]), tocha.randn(s[2], s[3])
            local one = with_threads(1, function() return a:mm(b) end)
            for _, n in ipairs {2, 3, 7} do
                assert_identical(one, with_threads(n, function() return a:mm(b) end))
            end
        end
        local x, y = tocha.randn(300000), tocha.randn(300000)
        local one = with_threads(1, function() return x:dot(y) end)
        assert_identical(one, with_threads(3, function() return x:dot(y) end))
        assert.near((x:to("float64") * y:to("float64")):sum():item(), one:item(), 0.05)
    end)

    it("says which sizes do not fit", function()
        has(message(tocha.mm, tocha.ones(2, 3), tocha.ones(4, 5)),
            "mm: sizes do not fit: 2x3 and 4x5; the last dim of input (3) must equal the first of mat2 (4)")
        has(message(tocha.mm, tocha.ones(2, 3, 4), tocha.ones(4, 5)),
            "mm: input must be a matrix, got 2x3x4; use matmul for batches and vectors")
        has(message(tocha.bmm, tocha.ones(2, 3, 4), tocha.ones(3, 4, 5)), "bmm: the batches have 2 and 3 matrices")
        has(message(tocha.mv, tocha.ones(2, 3), tocha.ones(4)), "mv: sizes do not fit: 2x3 and 4")
        has(message(tocha.dot, tocha.ones(2), tocha.ones(4)), "dot: the vectors must be of one size, got 2 and 4")
        has(message(tocha.mm, tocha.ones(2, 3), tocha.ones(3, 2, {dtype = "float64"})), "float64")
        has(message(tocha.mm, tocha.ones(2, 2) == tocha.ones(2, 2), tocha.ones(2, 2)), "mm: ")
    end)
end)

-- Sizes that go through OpenBLAS where it is there; columns in small groups never do.
describe("a large product", function()
    local function in_groups(a, b)
        local parts = {}
        for first = 1, b:size(2), 100 do
            parts[#parts + 1] = a:matmul(b[{{}, {first, math.min(first + 99, b:size(2))}}])
        end
        return tocha.cat(parts, 2)
    end

    local function error_of(actual, expected)
        return ((actual:double() - expected):abs():max() / expected:abs():max()):item()
    end

    for dtype, bound in pairs {float32 = 2e-6, float64 = 1e-14} do
        it("agrees with its columns taken in groups, in every layout: " .. dtype, function()
            tocha.manual_seed(3)
            local a, b = tocha.randn(513, 530, {dtype = dtype}), tocha.randn(530, 519, {dtype = dtype})
            local expected = in_groups(a:double(), b:double())
            local turned_a, turned_b = a:t():contiguous():t(), b:t():contiguous():t()
            for _, x in ipairs {a, turned_a} do
                for _, y in ipairs {b, turned_b} do
                    assert.is_true(error_of(x:matmul(y), expected) < bound)
                end
            end
            assert.is_true(error_of(tocha.addmm(tocha.ones(519, {dtype = dtype}), a, b), expected + 1) < bound)
            local added = tocha.addmm(tocha.ones(513, 519, {dtype = dtype}), a, b, {beta = 2, alpha = 0.5})
            assert.is_true(error_of(added, expected * 0.5 + 2) < bound)
        end)
    end

    it("has the same bits with any number of threads", function()
        local a = tocha.randn(700, 600)
        local one = with_threads(1, function() return a:matmul(a:t()) end)
        assert.are.equal(one, with_threads(3, function() return a:matmul(a:t()) end))
    end)

    it("lets NaN and inf through", function()
        local a, b = tocha.zeros(520, 520), tocha.ones(520, 520)
        a[{3, 4}] = 0 / 0
        b[{5, 6}] = math.huge
        local product = a:matmul(b)
        assert.is_true(product[3]:isnan():all():item())
        assert.is_true(product[{{}, 6}]:isnan():all():item())
        assert.are.equal(0, product[{1, 1}]:item())
    end)

    it("works batch by batch", function()
        local a = tocha.randn(3, 520, 530)
        local b = tocha.randn(3, 530, 512)
        assert.is_true(error_of(a:bmm(b)[2], in_groups(a[2]:double(), b[2]:double())) < 2e-6)
    end)
end)

describe("addmm", function()
    local a, b = matrix(3, 20, 1), matrix(20, 40, 2)

    it("scales and broadcasts what it adds", function()
        local product = a:mm(b)
        for _, shape in ipairs {{}, {1}, {40}, {1, 40}, {3, 1}, {3, 40}} do
            local c = tocha.ones(shape, {dtype = "float64"}) * 3
            assert.same((product * 2 + 1.5):tolist(), tocha.addmm(c, a, b, {beta = 0.5, alpha = 2}):tolist())
        end
    end)

    it("does not read what it multiplies by zero", function()
        local c = tocha.full({40}, 0 / 0, {dtype = "float64"})
        assert.same(a:mm(b):tolist(), tocha.addmm(c, a, b, {beta = 0}):tolist())
    end)

    it("keeps integers whole", function()
        local x = tocha.arange(4):view(2, 2)
        assert.same({{15, 21}, {31, 45}}, tocha.addmm(tocha.tensor({1, 1}), x, x, {alpha = 2, beta = 1}):tolist())
        has(message(tocha.addmm, x, x, x, {alpha = 0.5}), "addmm: alpha must be an integer for int64 tensors, got 0.5")
        has(message(tocha.addmm, tocha.ones(3), tocha.ones(2, 2), tocha.ones(2, 2)),
            "addmm: input of shape 3 does not broadcast to the product's 2x2")
    end)
end)

describe("matmul", function()
    --- Every rank case against products of single matrices.
    local cases = {
        {{3}, {3}, {}}, {{3}, {3, 4}, {4}}, {{2, 3}, {3}, {2}}, {{2, 3}, {3, 4}, {2, 4}},
        {{5, 2, 3}, {3}, {5, 2}}, {{3}, {5, 3, 2}, {5, 2}}, {{5, 2, 3}, {3, 4}, {5, 2, 4}},
        {{2, 3}, {5, 3, 4}, {5, 2, 4}}, {{5, 2, 3}, {5, 3, 4}, {5, 2, 4}}, {{5, 1, 2, 3}, {6, 3, 4}, {5, 6, 2, 4}},
        {{1, 2, 3}, {5, 3, 4}, {5, 2, 4}}, {{0, 2, 3}, {3, 4}, {0, 2, 4}}, {{5, 2, 0}, {5, 0, 4}, {5, 2, 4}},
        {{2, 3, 9, 17}, {2, 3, 17, 33}, {2, 3, 9, 33}},
    }

    local function filled(shape, seed)
        local n = 1
        for _, size in ipairs(shape) do
            n = n * size
        end
        return tocha.tensor(numbers(n, seed), {dtype = "float64"}):reshape(shape)
    end

    for _, case in ipairs(cases) do
        it(("multiplies %s and %s"):format(table.concat(case[1], "x"), table.concat(case[2], "x")), function()
            local a, b = filled(case[1], 1), filled(case[2], 2)
            local c = a:matmul(b)
            assert.same(case[3], {table.unpack(c.shape)})
            local left = #case[1] == 1 and a:unsqueeze(1) or a
            local right = #case[2] == 1 and b:unsqueeze(2) or b
            local summed = (left:unsqueeze(-1) * right:unsqueeze(-3)):sum(-2)
            assert.same(summed:reshape(case[3]):tolist(), c:tolist())
            local swapped = right:transpose(-1, -2):contiguous():transpose(-1, -2)
            assert.same(summed:reshape(case[3]):tolist(), left:matmul(swapped):reshape(case[3]):tolist())
        end)
    end

    it("reads permuted and expanded batches where they are", function()
        local x = filled({2, 5, 3, 4}, 1):permute(1, 3, 2, 4)
        local y = filled({2, 5, 3, 4}, 2):permute(1, 3, 4, 2)
        local expected = x:contiguous():matmul(y:contiguous())
        assert.same(expected:tolist(), x:matmul(y):tolist())
        local one = filled({5, 4}, 3):expand(2, 3, 5, 4)
        assert.same(one:contiguous():matmul(y:contiguous()):tolist(), one:matmul(y):tolist())
    end)

    it("explains what is wrong", function()
        has(message(tocha.matmul, tocha.ones(2, 3), tocha.ones(4, 5)),
            "matmul: sizes do not fit: 2x3 and 4x5; the last dim of input (3) must equal the second-last of other (4)")
        has(message(tocha.matmul, tocha.tensor(2.), tocha.ones(2)), "use mul to multiply by a number")
        has(message(tocha.matmul, tocha.ones(2, 3, 4), tocha.ones(3, 4, 5)),
            "matmul: the batch dims of 2x3x4 and 3x4x5 do not broadcast")
        has(message(tocha.matmul, tocha.ones(2, 2), tocha.ones(2, 2):to("float64")),
            'got float32 and float64; convert one with :to("float64")')
    end)
end)

describe("linear", function()
    it("is a product with the transpose, plus bias", function()
        local x, w, bias = matrix(24, 35, 1), matrix(9, 35, 2), matrix(1, 9, 3):view(9)
        local expected = x:mm(w:t()) + bias
        assert.same(expected:tolist(), tocha.linear(x, w, bias):tolist())
        assert.same(x:mm(w:t()):tolist(), tocha.linear(x, w):tolist())
        assert.same(expected:view(2, 3, 4, 9):tolist(), tocha.linear(x:view(2, 3, 4, 35), w, bias):tolist())
        assert.same(expected[1]:tolist(), tocha.linear(x[1], w, bias):tolist())
        local permuted = x:view(4, 6, 35):transpose(1, 2)
        assert.same(expected:view(4, 6, 9):transpose(1, 2):tolist(), tocha.linear(permuted, w, bias):tolist())
        assert.equal("0x9", tostring(tocha.linear(x:narrow(1, 1, 0), w, bias).shape))
    end)

    it("says which sizes it wants", function()
        has(message(tocha.linear, tocha.ones(2, 3), tocha.ones(4, 5)),
            "linear: sizes do not fit: input 2x3 and weight 4x5 (out, in); the last dim of input must be 5")
        has(message(tocha.linear, tocha.ones(2, 5), tocha.ones(4, 5), tocha.ones(3)),
            "linear: bias must have 4 elements, as many as weight has rows, got 3")
    end)
end)

describe("gradients of products", function()
    local function random(...)
        return tocha.randn({...}, {dtype = "float64"})
    end

    local cases = {
        mm = {tocha.mm, {2, 3}, {3, 4}},
        bmm = {tocha.bmm, {2, 2, 3}, {2, 3, 2}},
        mv = {tocha.mv, {2, 3}, {3}},
        dot = {tocha.dot, {3}, {3}},
        outer = {tocha.outer, {2}, {3}},
        ["matmul of broadcast batches"] = {tocha.matmul, {2, 1, 2, 3}, {2, 3, 2}},
        ["matmul of a vector and a batch"] = {tocha.matmul, {3}, {2, 3, 2}},
        ["matmul of a batch and a matrix"] = {tocha.matmul, {2, 2, 3}, {3, 2}},
        ["linear of a batch"] = {tocha.linear, {2, 2, 3}, {4, 3}, {4}},
    }
    for name, case in pairs(cases) do
        it("are right to second order: " .. name, function()
            tocha.manual_seed(7)
            local inputs = {}
            for i = 2, #case do
                inputs[i - 1] = random(table.unpack(case[i]))
            end
            gradcheck.check(function(...)
                local product = case[1](...)
                return product * product
            end, inputs)
        end)
    end

    it("are right to second order: addmm", function()
        gradcheck.check(function(c, a, b)
            return tocha.addmm(c, a, b, {beta = 0.5, alpha = -2}):tanh()
        end, {random(1, 3), random(2, 2), random(2, 3)})
    end)
end)
