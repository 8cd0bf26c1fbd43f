local tocha = require "tocha"
local nn = require "nn"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"

local F = nn.functional
local message, values = expect.message, expect.values

--- A tensor of small whole numbers, whose sums of products are exact.
local function whole(shape, seed, dtype)
    local n = 1
    for _, size in ipairs(shape) do
        n = n * size
    end
    return ((tocha.arange(n) * 37 + seed * 101) % 11 - 5):to(dtype or "float64"):view(shape)
end

local function with_threads(n, fn)
    local before = tocha.get_num_threads()
    tocha.set_num_threads(n)
    local result = fn()
    tocha.set_num_threads(before)
    return result
end

describe("convolution over one and three dims", function()
    it("is that over two where a dim has one entry", function()
        local x, w, b = whole({2, 4, 9}, 1), whole({6, 2, 3}, 2), whole({6}, 3)
        local options = {stride = 2, padding = 1, dilation = 2, groups = 2}
        local two = {stride = {1, 2}, padding = {0, 1}, dilation = {1, 2}, groups = 2}
        local line = tocha.conv1d(x, w, b, options)
        values(tocha.conv2d(x:unsqueeze(3), w:unsqueeze(3), b, two):squeeze(3):tolist(), line)
        values(line[2]:tolist(), tocha.conv1d(x[2], w, b, options))
        local image, weight = whole({2, 3, 6, 7}, 4), whole({5, 3, 2, 3}, 5)
        local plane = tocha.conv2d(image, weight, nil, {stride = {2, 1}, padding = {0, 2}})
        local options3 = {stride = {1, 2, 1}, padding = {0, 0, 2}}
        local deep = tocha.conv3d(image:unsqueeze(3), weight:unsqueeze(3), nil, options3)
        values(plane:tolist(), deep:squeeze(3))
    end)

    it("sums over the depth as a sum of convolutions of slices", function()
        for _, dtype in ipairs {"float32", "float64"} do
            for _, case in ipairs {{2, 3, 20}, {1, 33, 5}, {1, 1, 2}} do
                local n, c, o = table.unpack(case)
                local x, w = whole({n, c, 5, 6, 7}, 1, dtype), whole({o, c, 3, 2, 3}, 2, dtype)
                local y, expected = tocha.conv3d(x, w, nil, {padding = {0, 1, 1}, stride = {2, 1, 2}}), {}
                for z = 1, 2 do
                    for k = 1, 3 do
                        local part = tocha.conv2d(x:select(3, 2 * z - 2 + k), w:select(3, k), nil,
                            {padding = 1, stride = {1, 2}})
                        expected[z] = expected[z] and expected[z] + part or part
                    end
                end
                values(tocha.stack(expected, 3):tolist(), y)
            end
        end
    end)

    it("has the same bits with any number of threads", function()
        local x, w = tocha.randn(3, 8, 6, 12, 13), tocha.randn(24, 8, 3, 3, 3)
        local function all()
            local y = tocha.conv3d(x, w, nil, {padding = 1, stride = {1, 2, 2}})
            return {y:tolist(), tocha.conv_input_grad(y, w, x.shape, {padding = 1, stride = {1, 2, 2}}):tolist(),
                tocha.conv_weight_grad(y, x, w.shape, {padding = 1, stride = {1, 2, 2}}):tolist()}
        end
        assert.same(with_threads(1, all), with_threads(3, all))
    end)

    it("has gradients to second order", function()
        local x, w = tocha.randn(1, 2, 3, 4, 3, {dtype = "float64"}), tocha.randn(2, 1, 2, 2, 1, {dtype = "float64"})
        gradcheck.check(function(a, b)
            return tocha.conv3d(a, b, nil, {stride = {1, 2, 1}, padding = 1, groups = 2}):tanh()
        end, {x, w})
        gradcheck.check(function(a, b)
            return tocha.conv_transpose1d(a, b, nil, {stride = 2, padding = 1, output_padding = 1}):tanh()
        end, {tocha.randn(2, 2, 3, {dtype = "float64"}), tocha.randn(2, 3, 3, {dtype = "float64"})})
    end)

    it("with strides meets every element of images of any width", function()
        for width = 1, 70 do
            local x, w = whole({1, 2, 3, width}, width), whole({3, 2, 1, 1}, 2)
            values(tocha.conv2d(x:slice(4, 1, -1, 2), w):tolist(), tocha.conv2d(x, w, nil, {stride = {1, 2}}))
            local wide = whole({3, 2, 1, 3}, 3)
            local all = tocha.conv2d(x, wide, nil, {padding = {0, 1}})
            values(all:slice(4, 1, -1, 2):tolist(), tocha.conv2d(x, wide, nil, {padding = {0, 1}, stride = {1, 2}}))
            values(all:slice(4, 1, -1, 3):tolist(), tocha.conv2d(x, wide, nil, {padding = {0, 1}, stride = {1, 3}}))
        end
    end)
end)

describe("padding by name", function()
    it("keeps sizes, the odd entry behind", function()
        local x = tocha.tensor {{1., 2., 3., 4.}}
        values({{3, 5, 7, 4}}, tocha.conv1d(x, tocha.ones(1, 1, 2), {padding = "same"}))
        values({{3, 5, 7}}, tocha.conv1d(x, tocha.ones(1, 1, 2), {padding = "valid"}))
        assert.equal("2x5x6x7", tostring(tocha.conv3d(tocha.ones(2, 5, 6, 7), tocha.ones(2, 2, 4, 3, 2), nil,
            {padding = "same", dilation = {1, 2, 3}}).shape))
    end)
end)

describe("transposed convolution", function()
    it("is the gradient of a convolution's input, with its bias", function()
        local x, w, b = whole({2, 4, 5, 4}, 1), whole({4, 3, 3, 2}, 2), whole({3}, 3)
        local y = F.conv_transpose2d(x, w, b, {stride = 2, padding = {1, 0}})
        assert.equal("2x3x9x8", tostring(y.shape))
        local expected = tocha.conv_input_grad(x, w, y.shape, 2, {1, 0}) + b:view(3, 1, 1)
        values(expected:tolist(), y)
    end)

    it("reaches beyond where output_padding is as large as the stride", function()
        local y = F.conv_transpose1d(tocha.tensor {{1., 2.}}, tocha.ones(1, 1, 2), {dilation = 3, output_padding = 2})
        values({{1, 2, 0, 1, 2, 0, 0}}, y)
        local options = {dilation = 3, output_padding = 2, padding = 1}
        y = F.conv_transpose1d(tocha.tensor {{1., 2.}}, tocha.ones(1, 1, 2), options)
        values({{2, 0, 1, 2, 0}}, y)
    end)
end)

describe("pooling over any dims", function()
    it("gives positions in the whole image, which bring the values back", function()
        local x = tocha.randperm(2 * 4 * 4 * 6):float():view(2, 4, 4, 6)
        local y, at = F.max_pool3d(x, 2, {return_indices = true})
        assert.equal("2x2x2x3", tostring(y.shape))
        assert.is_true(x:flatten(2):gather(2, at:flatten(2)) == y:flatten(2))
        local back = F.max_unpool3d(y, at, 2)
        assert.equal("2x4x4x6", tostring(back.shape))
        assert.is_true(back:eq(x):logical_or(back:eq(0)):all():item())
        assert.equal(y:sum():item(), back:sum():item())
    end)

    it("gives one result unless positions are asked for", function()
        local x = tocha.arange(8.):view(1, 8)
        assert.equal(1, select("#", F.max_pool1d(x, 2)))
        assert.equal(2, select("#", F.max_pool1d(x, 2, nil, 0, 1, false, true)))
        assert.equal(2, select("#", x:adaptive_max_pool1d(2, {return_indices = true})))
        assert.equal(1, select("#", tocha.adaptive_max_pool1d {input = x, output_size = 2, return_indices = false}))
    end)

    it("takes nan for the largest, and a last window that starts in the padding not at all", function()
        local x = tocha.tensor {{1., 0 / 0, 3.}}
        values({{0 / 0}}, F.adaptive_max_pool1d(x, 1))
        assert.equal(3, F.max_pool1d(tocha.arange(5):view(1, 5), 2, {ceil_mode = true}):size(2))
        assert.equal(2, F.max_pool1d(tocha.arange(4):view(1, 4), 2, 3, {ceil_mode = true}):size(2))
        assert.equal(2, F.avg_pool1d(tocha.ones(1, 3), 1, 2, {ceil_mode = true}):size(2))
    end)

    it("adapts as cuts of the image say", function()
        local x = whole({1, 2, 7, 10}, 3)
        for _, size in ipairs {{1, 1}, {3, 4}, {7, 10}, {9, 11}, {2, 5}} do
            local y, most = F.adaptive_avg_pool2d(x, size), F.adaptive_max_pool2d(x, size)
            for oy = 1, size[1] do
                local y0, y1 = (oy - 1) * 7 // size[1] + 1, -(-oy * 7 // size[1])
                for ox = 1, size[2] do
                    local x0, x1 = (ox - 1) * 10 // size[2] + 1, -(-ox * 10 // size[2])
                    local window = x[{{}, {}, {y0, y1}, {x0, x1}}]
                    values(window:mean({3, 4}):tolist(), y[{{}, {}, oy, ox}], nil, 1e-12)
                    values(window:amax({3, 4}):tolist(), most[{{}, {}, oy, ox}])
                end
            end
        end
    end)

    it("at random covers the image in order, each window inside", function()
        tocha.manual_seed(2)
        for _ = 1, 20 do
            local x = tocha.arange(20.):view(1, 20):expand(3, 20)
            local samples = tocha.rand(1, 3, 1)
            local y = tocha.fractional_max_pool(x, {2}, {7}, samples)
            assert.is_true((y:diff(1, 2)):ge(2):all():item())
            values({20, 20, 20}, y:select(2, 7))
        end
    end)

    it("refuses positions outside the image", function()
        assert.matches("^max_unpool2d: ", message(F.max_unpool2d, tocha.ones(1, 1, 1), tocha.tensor {{{5}}}, 2))
        assert.matches("^max_unpool1d: ", message(F.max_unpool1d, tocha.ones(1, 1), tocha.tensor {{0}}, 2))
    end)
end)

describe("pad", function()
    local x = tocha.tensor {{1, 2, 3}, {4, 5, 6}}

    it("adds to both sides, the last dim first", function()
        values({{0, 1, 2, 3}, {0, 4, 5, 6}, {0, 0, 0, 0}}, F.pad(x, {1, 0, 0, 1}))
        values({{7, 2, 3}, {7, 5, 6}}, F.pad(x:slice(2, 2), {1, 0}, {value = 7}))
        values({{2, 3}}, F.pad(x, {-1, 0, 0, -1}))
        values({{5, 4, 5, 6, 5}, {2, 1, 2, 3, 2}, {5, 4, 5, 6, 5}, {2, 1, 2, 3, 2}}, F.pad(x, {1, 1, 1, 1}, "reflect"))
        values({{1, 1, 1, 2, 3}, {4, 4, 4, 5, 6}}, F.pad(x, {2, 0}, "replicate"))
        values({{3, 1, 2, 3, 1}, {6, 4, 5, 6, 4}}, F.pad(x, {1, 1}, "circular"))
        values({{2, 1, 2}, {5, 4, 5}}, F.pad(x, {2, -1}, "circular"):slice(2, 2))
    end)

    it("keeps nan and the bits of every dtype", function()
        local y = F.pad(tocha.tensor {{0 / 0, 1.}}, {1, 1}, "replicate")
        values({{0 / 0, 0 / 0, 1, 1}}, y)
        values({{false, true, false}}, F.pad(tocha.tensor {{true, false}}, {1, 0}, "circular"), "bool")
    end)

    it("shares out rows without changing a bit", function()
        local big = tocha.randn(3, 5, 60, 70)
        for _, mode in ipairs {"reflect", "replicate", "circular"} do
            local function f()
                local leaf = big:clone():requires_grad_()
                local y = F.pad(leaf, {7, 3, 2, 9}, mode)
                y:backward(y:detach() * 2)
                return {y:detach():tolist(), leaf.grad:tolist()}
            end
            assert.same(with_threads(1, f), with_threads(3, f))
        end
    end)
end)

describe("interpolate", function()
    it("repeats, mixes and keeps corners", function()
        local x = tocha.tensor {{{1., 3., 5.}}}
        values({{{1, 1, 3, 3, 5, 5}}}, F.interpolate(x, 6))
        values({{{1, 2, 3, 4, 5}}}, F.interpolate(x, 5, {mode = "linear", align_corners = true}))
        values({{{1, 3, 5}}}, F.interpolate(x, 3, {mode = "linear"}))
        values({{{3}}}, F.interpolate(x, 1, {mode = "area"}))
        values({{{3}}}, F.interpolate(x, 1, {mode = "nearest-exact"}))
        values({{{1}}}, F.interpolate(x, 1))
    end)

    it("takes what is linear as it is", function()
        local line = tocha.arange(0., 15.):view(1, 1, 4, 4)
        local y = F.interpolate(line, {scale_factor = 3, mode = "bilinear", align_corners = true})
        local expected = F.interpolate(line, {size = {12, 12}, mode = "bicubic", align_corners = true})
        assert.is_true((y - expected):abs():max():item() < 1)
        assert.is_true(((y:diff(2, 3)):abs():max():item()) < 1e-5)
    end)

    it("shares out planes and rows without changing a bit", function()
        for _, shape in ipairs {{1, 1, 90, 80}, {4, 7, 30, 33}} do
            local x = tocha.randn(shape)
            for _, mode in ipairs {"nearest", "bilinear", "bicubic", "area"} do
                local function f()
                    local leaf = x:clone():requires_grad_()
                    local y = F.interpolate(leaf, {size = {101, 77}, mode = mode})
                    y:backward(y:detach())
                    return {y:detach():tolist(), leaf.grad:tolist()}
                end
                assert.same(with_threads(1, f), with_threads(3, f))
            end
        end
    end)

    it("has gradients to second order", function()
        local x = tocha.randn(1, 2, 4, 5, {dtype = "float64"})
        for _, options in ipairs {{size = {3, 7}, mode = "bilinear"}, {scale_factor = 1.7, mode = "bicubic"},
            {size = 3, mode = "bilinear", antialias = true}, {size = {2, 3}, mode = "area"}} do
            gradcheck.check(function(t) return F.interpolate(t, options):square() end, {x})
        end
    end)
end)

describe("patches", function()
    it("and their weights are a convolution", function()
        local x, w = whole({2, 3, 7, 8}, 1), whole({4, 3, 3, 2}, 2)
        local columns = F.unfold(x, {3, 2}, {2, 1}, {1, 0}, {1, 2})
        local y = w:reshape(4, 18):matmul(columns)
        local options = {dilation = {2, 1}, padding = {1, 0}, stride = {1, 2}}
        values(tocha.conv2d(x, w, nil, options):flatten(3):tolist(), y)
    end)

    it("put together count how often each pixel was seen", function()
        local ones = tocha.ones(1, 1, 4, 4)
        local seen = F.fold(F.unfold(ones, 3), {4, 4}, 3)
        values({{{{1, 2, 2, 1}, {2, 4, 4, 2}, {2, 4, 4, 2}, {1, 2, 2, 1}}}}, seen)
    end)
end)

describe("pixels and channels", function()
    it("are shuffled and back", function()
        local x = tocha.arange(2 * 18 * 3 * 2):view(2, 18, 3, 2)
        local y = F.pixel_shuffle(x, 3)
        assert.equal("2x2x9x6", tostring(y.shape))
        assert.is_true(F.pixel_unshuffle(y, 3) == x)
        assert.is_true(F.channel_shuffle(F.channel_shuffle(x, 3), 6) == x)
    end)
end)

describe("grid_sample", function()
    local x = tocha.arange(12.):view(1, 1, 3, 4)

    local function identity(align_corners)
        return F.affine_grid(tocha.tensor {{{1., 0., 0.}, {0., 1., 0.}}}, {1, 1, 3, 4}, align_corners)
    end

    it("at the pixels gives the pixels", function()
        for _, align_corners in ipairs {false, true} do
            for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
                local y = F.grid_sample(x, identity(align_corners), mode, "border", align_corners)
                values(x:tolist(), y, nil, 1e-5)
            end
        end
    end)

    it("outside sees zeros, the border or the mirror", function()
        local far = tocha.tensor {{{{-1.5, 0.}, {1e30, 0.}, {0 / 0, 0.}, {1 / 0, -1 / 0}}}}
        values({{{{0, 0, 0, 0}}}}, F.grid_sample(x, far))
        values({{{{5, 8}}}}, F.grid_sample(x, far, {padding_mode = "border"}):narrow(4, 1, 2))
        values({{{{5.5}}}}, F.grid_sample(x, far, {padding_mode = "reflection"}):narrow(4, 1, 1))
        for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
            for _, padding in ipairs {"zeros", "border", "reflection"} do
                assert.equal(4, F.grid_sample(x, far, mode, padding):numel())
            end
        end
    end)

    it("of infinite pixels nearby does not make nan of what is outside", function()
        local bad = tocha.full({1, 1, 2, 2}, 1 / 0)
        values({{{{0}}}}, F.grid_sample(bad, tocha.full({1, 1, 1, 2}, 5.)))
    end)

    it("shares out points and channels without changing a bit", function()
        local image, grid = tocha.randn(2, 20, 30, 31), tocha.rand(2, 50, 60, 2) * 2.4 - 1.2
        local function f()
            local a, b = image:clone():requires_grad_(), grid:clone():requires_grad_()
            local y = F.grid_sample(a, b)
            y:backward(y:detach())
            return {y:detach():tolist(), a.grad:tolist(), b.grad:tolist()}
        end
        assert.same(with_threads(1, f), with_threads(3, f))
    end)

    it("has gradients to second order by pixels and places", function()
        tocha.manual_seed(4)
        local image = tocha.randn(1, 2, 4, 5, {dtype = "float64"})
        local grid = tocha.rand(1, 2, 3, 2, {dtype = "float64"}) * 1.5 - 0.75
        for _, mode in ipairs {"bilinear", "bicubic"} do
            gradcheck.check(function(a, b) return F.grid_sample(a, b, mode, "border"):tanh() end, {image, grid})
        end
        local deep = tocha.randn(1, 1, 3, 4, 3, {dtype = "float64"})
        local places = tocha.rand(1, 1, 2, 2, 3, {dtype = "float64"}) * 1.2 - 0.6
        gradcheck.check(function(a, b) return F.grid_sample(a, b):tanh() end, {deep, places})
    end)
end)
