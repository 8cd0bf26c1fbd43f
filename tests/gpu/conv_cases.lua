--- Convolutions and their gradients on the device beside the CPU's.

local tocha = require "tocha"

--- Input and weight, options: one image dim to three, what engines tell apart.
local geometries = {
    {{2, 3, 9}, {4, 3, 3}, {padding = 1}},
    {{5, 4, 8}, {6, 2, 2}, {stride = 2, padding = 2, dilation = 3, groups = 2}},
    {{3, 3, 7, 6}, {5, 3, 3, 2}, {padding = {1, 0}}},
    {{4, 4, 6, 5}, {4, 1, 3, 3}, {groups = 4, padding = 1, stride = {2, 1}}},
    {{2, 35, 5, 9}, {33, 35, 1, 1}, {stride = 1}},
    {{7, 2, 4, 3, 5}, {2, 1, 2, 2, 3}, {stride = {2, 2, 1}, padding = {1, 1, 2}, dilation = {1, 2, 2}, groups = 2}},
    {{4, 6, 5}, {3, 4, 2, 2}, {stride = 1}},
}

--- x as a view with other strides, of memory that begins at an odd element.
local function strided(x)
    local pool = tocha.zeros(x:numel() + 1, {dtype = x.dtype, device = x.device})
    local shape, order = {}, {}
    for d = 1, x:dim() do
        shape[d], order[d] = x:size(x:dim() + 1 - d), x:dim() + 1 - d
    end
    local view = pool:narrow(1, 2, x:numel()):view(table.unpack(shape)):permute(table.unpack(order))
    return view:copy_(x)
end

--- x with its channels as the innermost dim.
local function channels_last(x)
    local last, first = {1}, {1, x:dim()}
    for d = 3, x:dim() do
        last[d - 1], first[d] = d, d - 1
    end
    last[x:dim()] = 2
    return x:permute(table.unpack(last)):contiguous():permute(table.unpack(first))
end

local layouts = {plain = function(x) return x end, strided = strided, channels_last = channels_last}

local function conv(dims, x, w, b, options)
    local named = {}
    for k, v in pairs(options) do
        named[k] = v
    end
    return tocha[("conv%dd"):format(dims)](x, w, b, named)
end

--- The result and the gradients of all that goes in, of one convolution on one device.
local function results(device, g, dtype, layout, with_bias)
    tocha.manual_seed(7)
    local function draw(...)
        local x = tocha.randn(...):to(dtype):to(device)
        return (layout(x)):requires_grad_()
    end
    local x, w = draw(table.unpack(g[1])), draw(table.unpack(g[2]))
    local b
    if with_bias then
        b = tocha.randn(g[2][1] * 2):to(dtype):to(device):view(-1, 2):select(2, 1):requires_grad_()
    end
    local y = conv(#g[2] - 2, x, w, b, g[3])
    local weight = tocha.randn(table.unpack(y.shape)):to(dtype):to(device)
    local list = {y, table.unpack(tocha.autograd.grad((y * weight):sum(), {x, w, b}))}
    for i, t in ipairs(list) do
        list[i] = t:detach():to("float64"):cpu()
    end
    return list
end

--- Relative to the largest element of a result.
local precision = {float64 = 1e-12, float32 = 3e-6, float16 = 2e-3, bfloat16 = 1.6e-2}

--- What disagrees, as a list of sentences. loose: a factor for the differences allowed.
return function(loose)
    local wrong = {}
    for i, g in ipairs(geometries) do
        for dtype, least in pairs(precision) do
            for name, layout in pairs(layouts) do
                local with_bias = i % 2 == 1
                local expected = results("cpu", g, dtype, layout, with_bias)
                local got = results("cuda", g, dtype, layout, with_bias)
                for k, e in ipairs(expected) do
                    local off = (got[k] - e):abs():max():item() / e:abs():max():item()
                    if off > least * (loose or 1) or off ~= off then
                        wrong[#wrong + 1] = ("geometry %d %s %s: result %d is off by %g"):format(i, dtype, name, k, off)
                    end
                end
            end
        end
    end
    return wrong
end
