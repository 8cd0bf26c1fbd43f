--- Pooling, padding, resampling and grid_sample on the device against the CPU, where many elements meet in one.

local tocha = require "tocha"

--- f(...) gives the same on both devices, and the same bits again.
local function check(f, ...)
    local args, on_device = {...}, {}
    for i, v in ipairs(args) do
        on_device[i] = tocha.is_tensor(v) and v:cuda() or v
    end
    local want, got, again = f(...), f(table.unpack(on_device)), f(table.unpack(on_device))
    local close = tocha.allclose(got:cpu():to("float64"), want:to("float64"), {rtol = 1e-5, atol = 1e-5})
    assert.is_true(close)
    assert.is_true(again:cpu():tobytes() == got:cpu():tobytes())
end

--- The gradient of f(x) for a fixed gradient of its result.
local function gradient(f)
    return function(x)
        x = x:detach():requires_grad_()
        local y = f(x)
        local weights = tocha.arange(y:numel()):to(y.dtype):cos():view(y.shape):to {device = x.device}
        return tocha.grad((y * weights):sum(), x)
    end
end

local function both(f, x)
    check(f, x)
    check(gradient(f), x)
end

describe("on a CUDA device", function()
    before_each(function()
        tocha.manual_seed(6)
    end)

    it("one element may be the largest of hundreds of windows", function()
        local x = tocha.rand(2, 3, 40, 40)
        x[{{}, {}, 20, 20}] = 9
        both(function(t) return tocha.max_pool2d(t, 31, 1) end, x)
        local values, indices = tocha.max_pool2d((x * 10):to("int32"), 9, 1, 4, {return_indices = true})
        check(tocha.max_pool_backward, values, indices, {2, 3, 40, 40}, 2)
    end)

    it("averages overlap", function()
        both(function(t) return tocha.avg_pool2d(t, 7, 2, 3, {count_include_pad = false}) end, tocha.rand(2, 3, 41, 30))
        both(function(t) return tocha.adaptive_avg_pool2d(t, 5) end, tocha.rand(2, 3, 41, 30))
    end)

    it("padding folds back", function()
        for _, mode in ipairs {"reflect", "replicate", "circular"} do
            both(function(t) return tocha.pad(t, {9, 5, -3, 12}, mode) end, tocha.rand(2, 3, 20, 17))
        end
    end)

    it("images grow from one pixel and shrink to one", function()
        for _, mode in ipairs {"bilinear", "bicubic", "area", "nearest"} do
            local grow = function(t) return tocha.interpolate(t, {70, 71}, {mode = mode}) end
            local shrink = function(t) return tocha.interpolate(t, {1, 1}, {mode = mode}) end
            both(grow, tocha.rand(1, 2, 1, 1))
            both(grow, tocha.rand(1, 2, 9, 40))
            both(shrink, tocha.rand(1, 2, 70, 71))
        end
        both(function(t) return tocha.interpolate(t, {6, 5}, {mode = "bilinear", antialias = true}) end,
            tocha.rand(1, 2, 70, 71))
    end)

    it("patches overlap", function()
        local unfold = function(t) return tocha.im2col(t, {5, 3}, {2, 1}, {4, 1}, {1, 2}) end
        both(unfold, tocha.rand(2, 3, 20, 17))
    end)

    for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
        for _, padding in ipairs {"zeros", "border", "reflection"} do
            it(("many points look at one pixel: %s, %s"):format(mode, padding), function()
                local image, grid = tocha.rand(2, 5, 6, 7), tocha.rand(2, 20, 15, 2) * 6 - 3
                local sample = function(t) return tocha.grid_sample(t, grid:to {device = t.device}, mode, padding) end
                both(sample, image)
                check(gradient(function(t)
                    return tocha.grid_sample(image:to {device = t.device}, t, mode, padding)
                end), grid)
            end)
        end
    end
end)
