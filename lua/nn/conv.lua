--- Convolution and pooling over images.

local core = require "tocha.core"
local init = require "nn.initializers"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"
local class = require("nn.module").class

local layers = {}

local is_tensor, conv2d, max_pool2d, avg_pool2d = core.is_tensor, core.conv2d, core.max_pool2d, core.avg_pool2d

local function pair_text(value)
    return type(value) == "table" and ("{%d, %d}"):format(value[1], value[2]) or tostring(value)
end

local function both(value)
    if type(value) == "table" then
        return value[1], value[2]
    end
    return value, value
end

--- ", {stride = 2}": what differs from the defaults, a list of {name, default}.
local function extras(self, defaults)
    local parts = {}
    for _, entry in ipairs(defaults) do
        local name, default = entry[1], entry[2]
        local value = self[name]
        if value ~= nil and pair_text(value) ~= pair_text(default) then
            parts[#parts + 1] = ("%s = %s"):format(name, pair_text(value))
        end
    end
    return #parts > 0 and (", {%s}"):format(table.concat(parts, ", ")) or ""
end

local conv_spec = {
    {"in_channels", "count"},
    {"out_channels", "count"},
    {"kernel_size", "counts"},
    {"stride", "counts", 1},
    {"padding", "sizes", 0},
    {"dilation", "counts", 1},
    {"groups", "count", 1},
    {"bias", "boolean", true},
    {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

--- 2-d convolution: (n, in_channels, h, w) gives (n, out_channels, oh, ow) with
--- oh = (h + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1; the batch dim n may be left out.
--- weight: (out_channels, in_channels / groups, kh, kw), bias: (out_channels), uniform within 1 / sqrt(fan_in) at
--- first. kernel_size, stride (1), padding (0) and dilation (1) are a number or {vertical, horizontal}; further
--- options: groups (1), bias (true), dtype ("float32"), device ("cpu").
local Conv2d = class("Conv2d")
layers.Conv2d = Conv2d

function Conv2d:init(...)
    local o = options.read("Conv2d", conv_spec, ...)
    if o.in_channels % o.groups ~= 0 or o.out_channels % o.groups ~= 0 then
        raise("Conv2d: groups must divide the channels, got groups %d, in_channels %d, out_channels %d", o.groups,
            o.in_channels, o.out_channels)
    end
    local kind = {dtype = o.dtype, device = o.device}
    local kh, kw = both(o.kernel_size)
    for _, name in ipairs {"in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"} do
        self[name] = o[name]
    end
    self.weight = parameter.make(core.empty({o.out_channels, o.in_channels // o.groups, kh, kw}, kind))
    self.bias = o.bias and parameter.make(core.empty({o.out_channels}, kind)) or nil
    init.layer_(self.weight, self.bias)
end

function Conv2d:forward(x)
    local dims = is_tensor(x) and x:dim()
    if (dims ~= 4 and dims ~= 3) or x:size(-3) ~= self.in_channels then
        raise("%s: expected input of shape (n, %d, h, w) or (%d, h, w), got %s", self:describe(), self.in_channels,
            self.in_channels, dims and tostring(x.shape) or options.describe(x))
    end
    return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
end

function Conv2d:extra_repr()
    local more = extras(self, {{"stride", 1}, {"padding", 0}, {"dilation", 1}, {"groups", 1}})
    if not self.bias then
        more = more == "" and ", {bias = false}" or more:sub(1, -2) .. ", bias = false}"
    end
    return ("%d, %d, %s%s"):format(self.in_channels, self.out_channels, pair_text(self.kernel_size), more)
end

local function check_images(self, x)
    local dims = is_tensor(x) and x:dim()
    if dims ~= 4 and dims ~= 3 then
        raise("%s: expected input of shape (n, c, h, w) or (c, h, w), got %s", self:describe(),
            dims and tostring(x.shape) or options.describe(x))
    end
end

local max_pool_spec = {
    {"kernel_size", "counts"},
    {"stride", "counts", optional = true},
    {"padding", "sizes", 0},
    {"dilation", "counts", 1},
    {"ceil_mode", "boolean", false},
}

--- The largest element of each window: (n, c, h, w) gives (n, c, oh, ow). kernel_size, stride (kernel_size), padding
--- (0) and dilation (1) are a number or {vertical, horizontal}; ceil_mode (false) keeps a last window that is cut.
local MaxPool2d = class("MaxPool2d")
layers.MaxPool2d = MaxPool2d

function MaxPool2d:init(...)
    local o = options.read("MaxPool2d", max_pool_spec, ...)
    self.kernel_size, self.stride = o.kernel_size, o.stride or o.kernel_size
    self.padding, self.dilation, self.ceil_mode = o.padding, o.dilation, o.ceil_mode
end

function MaxPool2d:forward(x)
    check_images(self, x)
    return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
end

function MaxPool2d:extra_repr()
    return pair_text(self.kernel_size) .. extras(self, {{"stride", self.kernel_size}, {"padding", 0}, {"dilation", 1},
        {"ceil_mode", false}})
end

local avg_pool_spec = {
    {"kernel_size", "counts"},
    {"stride", "counts", optional = true},
    {"padding", "sizes", 0},
    {"ceil_mode", "boolean", false},
    {"count_include_pad", "boolean", true},
    {"divisor_override", "count", optional = true},
}

--- The mean of each window: (n, c, h, w) gives (n, c, oh, ow). kernel_size, stride (kernel_size) and padding (0) are a
--- number or {vertical, horizontal}; ceil_mode (false), count_include_pad (true) and divisor_override as in
--- tocha.avg_pool2d.
local AvgPool2d = class("AvgPool2d")
layers.AvgPool2d = AvgPool2d

function AvgPool2d:init(...)
    local o = options.read("AvgPool2d", avg_pool_spec, ...)
    self.kernel_size, self.stride, self.padding = o.kernel_size, o.stride or o.kernel_size, o.padding
    self.ceil_mode, self.count_include_pad, self.divisor_override = o.ceil_mode, o.count_include_pad, o.divisor_override
end

function AvgPool2d:forward(x)
    check_images(self, x)
    return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
        self.divisor_override)
end

function AvgPool2d:extra_repr()
    return pair_text(self.kernel_size) .. extras(self, {{"stride", self.kernel_size}, {"padding", 0},
        {"ceil_mode", false}, {"count_include_pad", true}, {"divisor_override", 0}})
end

return layers
