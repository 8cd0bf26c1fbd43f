local tocha = require "tocha"
local gradcheck = require "tests.support.gradcheck"

--- A tensor of small whole numbers: sums of their products are exact in float32 too.
local function whole(shape, seed, dtype)
    local n, list = 1, {}
    for _, size in ipairs(shape) do
        n = n * size
    end
    for i = 1, n do
        list[i] = (i * 37 + seed * 101) % 11 - 5
    end
    return tocha.tensor(list, {dtype = dtype or "float32"}):view(shape)
end

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function has(text, part)
    assert.truthy(text:find(part, 1, true), text)
end

local function with_threads(n, fn)
    local before = tocha.get_num_threads()
    tocha.set_num_threads(n)
    local result = fn()
    tocha.set_num_threads(before)
    return result
end

local function pair(x, fallback)
    x = x or fallback
    return type(x) == "table" and x or {x, x}
end

local function geometry(options)
    return pair(options.stride, 1), pair(options.padding, 0), pair(options.dilation, 1), options.groups or 1
end

--- Calls visit(n, o, y, x, c, ky, kx, iy, ix) for every product of a convolution, from 1; c is the input channel,
--- iy and ix where it is read, which lies inside the image.
local function each_product(input, weight, out, options, visit)
    local stride, padding, dilation, groups = geometry(options)
    local in_c, out_c = weight[2], weight[1] // groups
    for n = 1, input[1] do
        for o = 1, weight[1] do
            local first = (o - 1) // out_c * in_c
            for y = 1, out[1] do
                for x = 1, out[2] do
                    for c = 1, in_c do
                        for ky = 1, weight[3] do
                            local iy = (y - 1) * stride[1] + (ky - 1) * dilation[1] - padding[1] + 1
                            for kx = 1, weight[4] do
                                local ix = (x - 1) * stride[2] + (kx - 1) * dilation[2] - padding[2] + 1
                                if iy >= 1 and iy <= input[3] and ix >= 1 and ix <= input[4] then
                                    visit(n, o, y, x, c, ky, kx, first + c, iy, ix)
                                end
                            end
                        end
                    end
                end
            end
        end
    end
end

local function sizes_out(input, weight, options)
    local stride, padding, dilation = geometry(options)
    local out = {}
    for i = 1, 2 do
        out[i] = (input[i + 2] + 2 * padding[i] - dilation[i] * (weight[i + 2] - 1) - 1) // stride[i] + 1
    end
    return out
end

--- Result, input gradient and weight gradient by their definitions, as nested lists; grad is the result's.
local function naive(input, weight, grad, options)
    local x, w, g = input:tolist(), weight:tolist(), grad:tolist()
    local y, gx, gw = (grad * 0):tolist(), (input * 0):tolist(), (weight * 0):tolist()
    each_product(input.shape, weight.shape, {grad:size(3), grad:size(4)}, options,
        function(n, o, oy, ox, c, ky, kx, channel, iy, ix)
            y[n][o][oy][ox] = y[n][o][oy][ox] + x[n][channel][iy][ix] * w[o][c][ky][kx]
            gx[n][channel][iy][ix] = gx[n][channel][iy][ix] + g[n][o][oy][ox] * w[o][c][ky][kx]
            gw[o][c][ky][kx] = gw[o][c][ky][kx] + g[n][o][oy][ox] * x[n][channel][iy][ix]
        end)
    return y, gx, gw
end

--- Input, weight, options. Between them they take every way that the kernels have.
local cases = {
    ["one channel, few outputs"] = {{2, 1, 9, 9}, {3, 1, 3, 3}, {stride = 1}},
    ["a window as large as the image"] = {{2, 3, 4, 5}, {4, 3, 4, 5}, {stride = 1}},
    ["padding, many outputs"] = {{2, 3, 7, 6}, {35, 3, 3, 3}, {padding = 1}},
    ["more input channels than a vector holds"] = {{1, 37, 6, 5}, {18, 37, 3, 3}, {padding = 1}},
    ["more weights than a block holds"] = {{1, 130, 4, 4}, {17, 130, 3, 3}, {stride = 1}},
    ["strides"] = {{2, 17, 9, 11}, {17, 17, 3, 3}, {stride = {2, 3}, padding = {1, 2}}},
    ["dilation"] = {{1, 2, 11, 12}, {5, 2, 3, 2}, {dilation = {2, 3}, padding = 2}},
    ["stride and dilation"] = {{2, 3, 13, 12}, {20, 3, 2, 3}, {stride = 2, dilation = 3, padding = {0, 3}}},
    ["one by one"] = {{2, 20, 5, 7}, {33, 20, 1, 1}, {stride = 1}},
    ["one by one with a stride"] = {{2, 5, 5, 7}, {6, 5, 1, 1}, {stride = 2}},
    ["groups"] = {{2, 6, 6, 6}, {9, 2, 3, 3}, {groups = 3, padding = 1}},
    ["single planes"] = {{2, 5, 8, 7}, {5, 1, 3, 3}, {groups = 5, padding = 1}},
    ["single planes with a stride"] = {{2, 3, 9, 20}, {3, 1, 3, 3}, {groups = 3, stride = 2, padding = 1}},
    ["single planes, large windows"] = {{1, 2, 12, 40}, {2, 1, 8, 8}, {groups = 2}},
    ["two outputs for each plane"] = {{2, 3, 6, 6}, {6, 1, 2, 2}, {groups = 3}},
    ["long rows"] = {{1, 2, 3, 150}, {20, 2, 2, 3}, {stride = 1}},
    ["padding beyond the window"] = {{1, 2, 3, 3}, {3, 2, 2, 2}, {padding = 3}},
}

describe("conv2d", function()
    for name, case in pairs(cases) do
        local options = case[3]
        local out = sizes_out(case[1], case[2], options)

        it("and its gradients agree with their definitions: " .. name, function()
            for _, dtype in ipairs {"float32", "float64"} do
                local x, w = whole(case[1], 1, dtype), whole(case[2], 2, dtype)
                local g = whole({case[1][1], case[2][1], out[1], out[2]}, 3, dtype)
                local y, gx, gw = naive(x, w, g, options)
                assert.same(y, tocha.conv2d(x, w, nil, options):tolist())
                assert.same(gx, tocha.conv_input_grad(g, w, x.shape, options):tolist())
                assert.same(gw, tocha.conv_weight_grad(g, x, w.shape, options):tolist())
            end
        end)

        it("has the same bits with any number of threads: " .. name, function()
            local x, w = tocha.randn(case[1]), tocha.randn(case[2])
            local g = tocha.randn(case[1][1], case[2][1], out[1], out[2])
            local function all()
                return {tocha.conv2d(x, w, nil, options):tolist(),
                    tocha.conv_input_grad(g, w, x.shape, options):tolist(),
                    tocha.conv_weight_grad(g, x, w.shape, options):tolist()}
            end
            local one = with_threads(1, all)
            assert.same(one, with_threads(2, all))
            assert.same(one, with_threads(5, all))
        end)
    end

    it("splits large batches over threads without changing a bit", function()
        local sizes = {{{9, 8, 20, 20}, {24, 8, 5, 5}}, {{1, 16, 50, 50}, {33, 16, 3, 3}},
            {{70, 1, 14, 14}, {5, 1, 5, 5}}}
        for _, s in ipairs(sizes) do
            local x, w = tocha.randn(s[1]), tocha.randn(s[2])
            local g = tocha.randn(tocha.conv2d(x, w).shape)
            local function all()
                return {tocha.conv2d(x, w), tocha.conv_input_grad(g, w, x.shape),
                    tocha.conv_weight_grad(g, x, w.shape)}
            end
            local one, three = with_threads(1, all), with_threads(3, all)
            for i = 1, 3 do
                assert.is_true(one[i]:eq(three[i]):all():item())
            end
        end
    end)

    it("adds the bias", function()
        for _, o in ipairs {3, 40} do
            local x, w, bias = whole({2, 3, 6, 6}, 1), whole({o, 3, 3, 3}, 2), whole({o}, 3)
            local expected = tocha.conv2d(x, w) + bias:view(o, 1, 1)
            assert.same(expected:tolist(), tocha.conv2d(x, w, bias):tolist())
        end
        local x, w, bias = whole({2, 3, 6, 6}, 1), whole({3, 1, 3, 3}, 2), whole({6}, 3):slice(1, 1, 6, 2)
        local expected = tocha.conv2d(x, w, nil, {groups = 3}) + bias:reshape(3, 1, 1)
        assert.same(expected:tolist(), tocha.conv2d(x, w, bias, {groups = 3}):tolist())
    end)

    it("reads strided tensors and images without a batch", function()
        local x, w = whole({2, 3, 6, 7}, 1), whole({4, 3, 3, 2}, 2)
        local expected = tocha.conv2d(x, w):tolist()
        assert.same(expected, tocha.conv2d(x:transpose(2, 4):contiguous():transpose(2, 4), w):tolist())
        assert.same(expected, tocha.conv2d(x, w:permute(3, 1, 4, 2):contiguous():permute(2, 4, 1, 3)):tolist())
        assert.same(expected[2], tocha.conv2d(x[2], w):tolist())
        local row = whole({1, 1, 1, 7}, 1):expand(2, 3, 6, 7)
        assert.same(tocha.conv2d(row:contiguous(), w):tolist(), tocha.conv2d(row, w):tolist())
    end)

    it("computes half types in float and rounds once", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            local x, w = tocha.rand(2, 5, 8, 8):to(dtype), tocha.rand(9, 5, 3, 3):to(dtype)
            local y = tocha.conv2d(x, w)
            assert.equal(dtype, y.dtype)
            assert.same(tocha.conv2d(x:to("float32"), w:to("float32")):to(dtype):tolist(), y:tolist())
        end
    end)

    it("takes empty batches and no channels", function()
        local w = tocha.ones(4, 3, 3, 3)
        local y = tocha.conv2d(tocha.ones(0, 3, 5, 5), w)
        assert.equal("0x4x3x3", tostring(y.shape))
        assert.equal(0, tocha.conv_weight_grad(y, tocha.ones(0, 3, 5, 5), w.shape):abs():sum():item())
        assert.equal("0x3x5x5", tostring(tocha.conv_input_grad(y, w, {0, 3, 5, 5}).shape))
        local only_bias = tocha.conv2d(tocha.ones(1, 0, 3, 3), tocha.ones(2, 0, 3, 3), tocha.tensor({1., 2.}))
        assert.same({{{{1}}, {{2}}}}, only_bias:tolist())
    end)

    it("keeps nan where it belongs", function()
        for _, c in ipairs {1, 20} do
            local x = tocha.zeros(1, c, 5, 20)
            x[1][1][1][1] = 0 / 0
            local y = tocha.conv2d(x, tocha.ones(17, c, 3, 3), nil, {padding = 1})
            local bad = y:isnan():to("int64")
            assert.equal(17 * 4, bad:sum():item())
            assert.equal(17 * 4, bad[{1, {}, {1, 2}, {1, 2}}]:sum():item())
            local planes = tocha.conv2d(x, tocha.ones(c, 1, 3, 3), nil, {padding = 1, groups = c})
            assert.equal(4, planes:isnan():to("int64"):sum():item())
        end
    end)

    it("says which sizes do not fit", function()
        local x, w = tocha.ones(1, 2, 3, 4), tocha.ones(4, 2, 3, 3)
        has(message(tocha.conv2d, x, tocha.ones(4, 2, 5, 3)),
            "conv2d: the kernel does not fit: its height is 5, that of the padded input 3")
        has(message(tocha.conv2d, x, w, nil, {dilation = {1, 2}}),
            "conv2d: the kernel does not fit: its width is 5 with dilation, that of the padded input 4")
        has(message(tocha.conv2d, x, tocha.ones(4, 3, 3, 3)),
            "conv2d: input 1x2x3x4 has 2 channels, but weight 4x3x3x3 (o, c, kh, kw) expects 3")
        has(message(tocha.conv2d, x, w, nil, {groups = 3}),
            "conv2d: groups must divide the 2 channels of the input and the 4 of the output, got 3")
        has(message(tocha.conv2d, x, w, tocha.ones(3)), "conv2d: bias must have 4 elements")
        has(message(tocha.conv2d, tocha.ones(3, 4), w), "conv2d: input must be (n, c, h, w) or (c, h, w), got 3x4")
        has(message(tocha.conv2d, x, w, nil, {stride = 0}), "conv2d: stride must be between 1 and")
        has(message(tocha.conv2d, x, w, nil, {stride = {1, 2, 3}}), "got 3 numbers")
        has(message(tocha.conv2d, x, w, nil, {padding = 2147483647, stride = 2147483647}), "too large")
        has(message(tocha.conv_input_grad, tocha.ones(1, 4, 2, 2), w, {1, 2, 3, 4}),
            "conv_input_grad: grad must have the result's shape 1x4x1x2, got 1x4x2x2")
    end)
end)

describe("gradients of convolution", function()
    local configurations = {
        plain = {{2, 2, 4, 4}, {3, 2, 2, 2}, {stride = 1}},
        all = {{1, 2, 5, 4}, {4, 1, 2, 2}, {stride = {2, 1}, padding = 1, dilation = {1, 2}, groups = 2}},
        planes = {{1, 3, 4, 4}, {3, 1, 3, 3}, {padding = 1, groups = 3}},
    }
    for name, c in pairs(configurations) do
        it("are right to second order: " .. name, function()
            tocha.manual_seed(3)
            local x, w = tocha.randn(c[1], {dtype = "float64"}), tocha.randn(c[2], {dtype = "float64"})
            local bias = tocha.randn({c[2][1]}, {dtype = "float64"})
            gradcheck.check(function(...)
                local a, b, d = ...
                return tocha.conv2d(a, b, d, c[3]):tanh()
            end, {x, w, bias})
            local g = tocha.randn(tocha.conv2d(x, w, nil, c[3]).shape, {dtype = "float64"})
            gradcheck.check(function(a, b)
                return tocha.conv_input_grad(a, b, x.shape, c[3])
            end, {g, w})
            gradcheck.check(function(a, b)
                return tocha.conv_weight_grad(a, b, w.shape, c[3])
            end, {g, x})
        end)
    end
end)

--- Where a window of a pooling starts, and the elements of the plane it sees, as {value, position}.
local function window(plane, size, k, stride, padding, dilation, y, x)
    local seen = {}
    for ky = 0, k[1] - 1 do
        for kx = 0, k[2] - 1 do
            local iy = (y - 1) * stride[1] - padding[1] + ky * dilation[1] + 1
            local ix = (x - 1) * stride[2] - padding[2] + kx * dilation[2] + 1
            if iy >= 1 and iy <= size[1] and ix >= 1 and ix <= size[2] then
                seen[#seen + 1] = {plane[iy][ix], (iy - 1) * size[2] + ix}
            end
        end
    end
    return seen
end

local function largest(seen)
    local best = seen[1]
    for i = 2, #seen do
        if seen[i][1] > best[1] then
            best = seen[i]
        end
    end
    return best
end

describe("max_pool2d", function()
    local pools = {
        {{7, 8}, {kernel_size = 2}}, {{8, 33}, {kernel_size = 2}}, {{9, 70}, {kernel_size = 2}},
        {{7, 9}, {kernel_size = 3, stride = 1, padding = 1}}, {{7, 9}, {kernel_size = {2, 3}, stride = {3, 2}}},
        {{9, 300}, {kernel_size = 3, stride = 2, padding = 1}}, {{9, 9}, {kernel_size = 2, dilation = 3, stride = 1}},
        {{7, 7}, {kernel_size = 3, stride = 2, ceil_mode = true}}, {{5, 5}, {kernel_size = 2, ceil_mode = true}},
    }
    for i, case in ipairs(pools) do
        it("takes the first largest element of each window, case " .. i, function()
            local options = case[2]
            local k = pair(options.kernel_size)
            local stride, padding = pair(options.stride, k), pair(options.padding, 0)
            local dilation = pair(options.dilation, 1)
            for _, dtype in ipairs {"float32", "float64", "float16", "int64", "uint8"} do
                local x = whole({2, 3, case[1][1], case[1][2]}, 4):abs():to(dtype)
                local values, places = tocha.max_pool2d_with_indices(x, options)
                assert.same(values:tolist(), tocha.max_pool2d(x, options):tolist())
                assert.equal("int64", places.dtype)
                local planes, v, p = x:tolist(), values:tolist(), places:tolist()
                for n = 1, 2 do
                    for c = 1, 3 do
                        for y = 1, values:size(3) do
                            for ox = 1, values:size(4) do
                                local best = largest(window(planes[n][c], case[1], k, stride, padding, dilation, y, ox))
                                assert.equal(best[1], v[n][c][y][ox])
                                assert.equal(best[2], p[n][c][y][ox])
                            end
                        end
                    end
                end
            end
        end)
    end

    it("has PyTorch's sizes with ceil_mode", function()
        local function size(n, options)
            return tocha.max_pool2d(tocha.ones(1, n, n), options):size(2)
        end
        assert.equal(3, size(5, {kernel_size = 2, ceil_mode = true}))
        assert.equal(2, size(5, {kernel_size = 2}))
        assert.equal(3, size(6, {kernel_size = 3, stride = 2, ceil_mode = true}))
        assert.equal(3, size(4, {kernel_size = 2, stride = 2, padding = 1, ceil_mode = true}))
        assert.equal(1, size(2, {kernel_size = 3, stride = 2, ceil_mode = true}))
    end)

    it("lets nan win and padding never", function()
        for _, width in ipairs {4, 40} do
            local x = tocha.full({1, 4, width}, -3.)
            assert.equal(-3, tocha.max_pool2d(x, 2, {padding = 1}):max():item())
            x[1][2][3] = 0 / 0
            local y = tocha.max_pool2d(x, 2)
            assert.same({false, true}, {y[1][1][1]:isnan():item(), y[1][1][2]:isnan():item()})
        end
        local low = tocha.full({1, 2, 2}, -1 / 0)
        local v, i = tocha.max_pool2d_with_indices(low, 2)
        assert.same({{{-1 / 0}}}, v:tolist())
        assert.same({{{1}}}, i:tolist())
    end)

    it("sends gradients to the places alone, adding where windows share one", function()
        local x = tocha.tensor({{{1., 5., 2.}, {0., 3., 4.}}}, {requires_grad = true})
        tocha.max_pool2d(x, 2, {stride = 1}):backward(tocha.tensor({{{10., 100.}}}))
        assert.same({{{0, 110, 0}, {0, 0, 0}}}, x.grad:tolist())
    end)

    it("checks the places that it is given", function()
        local g = tocha.ones(2, 1, 1)
        for _, bad in ipairs {0, 5, -1} do
            local places = tocha.tensor({{{4}}, {{bad}}})
            has(message(tocha.max_pool_backward, g, places, {2, 2, 2}, 2),
                ("max_pool_backward: indices must be between 1 and 4, got %d at element 2"):format(bad))
        end
        has(message(tocha.max_pool_backward, g, tocha.ones(1, 1, 1):to("int64"), {2, 2, 2}, 2), "must have one shape")
        has(message(tocha.max_pool_backward, g, tocha.ones(2, 1, 1):to("int64"), {3, 2, 2}, 2), "input_size must be")
    end)

    it("says what does not fit", function()
        local x = tocha.ones(1, 4, 4)
        has(message(tocha.max_pool2d, x, 5), "the kernel does not fit: its height is 5, that of the padded input 4")
        has(message(tocha.max_pool2d, x, 2, {padding = 2}),
            "padding may be at most half the kernel: 1 for a height of 2, got 2")
        has(message(tocha.max_pool2d, tocha.ones(4, 4), 2), "input must be (n, c, h, w) or (c, h, w), got 4x4")
        has(message(tocha.max_pool2d, tocha.ones(1, 1, 1), 2, {padding = 1, dilation = 2}),
            "a window would see nothing but padding")
    end)
end)

describe("avg_pool2d", function()
    --- The mean by its definition.
    local function mean(plane, size, k, stride, padding, options, y, x)
        local sum, seen = 0, window(plane, size, k, stride, padding, {1, 1}, y, x)
        for _, entry in ipairs(seen) do
            sum = sum + entry[1]
        end
        local count = 1
        for i, o in ipairs {y, x} do
            local start = (o - 1) * stride[i] - padding[i]
            count = count * (math.min(start + k[i], size[i] + padding[i]) - start)
        end
        if options.count_include_pad == false then
            count = #seen
        end
        return sum / (options.divisor_override or count)
    end

    local pools = {
        {kernel_size = 2}, {kernel_size = 2, divisor_override = 3}, {kernel_size = 3, stride = 2, padding = 1},
        {kernel_size = 3, stride = 2, padding = 1, count_include_pad = false},
        {kernel_size = {3, 2}, stride = {2, 3}, ceil_mode = true, padding = 1}, {kernel_size = {7, 9}},
    }
    for i, options in ipairs(pools) do
        it("is the mean of each window, case " .. i, function()
            local x, k = whole({2, 7, 9}, 5, "float64"), pair(options.kernel_size)
            local y = tocha.avg_pool2d(x, options)
            local planes, found = x:tolist(), y:tolist()
            for c = 1, 2 do
                for oy = 1, y:size(2) do
                    for ox = 1, y:size(3) do
                        local expected = mean(planes[c], {7, 9}, k, pair(options.stride, k), pair(options.padding, 0),
                            options, oy, ox)
                        assert.near(expected, found[c][oy][ox], 1e-12)
                    end
                end
            end
            assert.near(0, (tocha.avg_pool2d(x:to("float32"), options) - y):abs():max():item(), 1e-6)
        end)

        it("has right gradients to second order, case " .. i, function()
            gradcheck.check(function(x)
                local y = tocha.avg_pool2d(x, options)
                return y * y
            end, {whole({1, 7, 9}, 6, "float64") / 4})
        end)
    end

    it("refuses to divide by zero", function()
        has(message(tocha.avg_pool2d, tocha.ones(1, 2, 2), 2, {divisor_override = 0}),
            "avg_pool2d: divisor_override must not be 0")
    end)
end)

describe("gradients of max_pool2d", function()
    it("are right to second order", function()
        local x = (tocha.randperm(2 * 6 * 7):to("float64") / 10):view(1, 2, 6, 7)
        for _, options in ipairs {{kernel_size = 2}, {kernel_size = 3, stride = 2, padding = 1}} do
            gradcheck.check(function(t)
                local y = tocha.max_pool2d(t, options)
                return y * y
            end, {x})
        end
    end)
end)
