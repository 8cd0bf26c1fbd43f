--- Convolution and pooling over images.

local core = require "tocha.core"
local init = require "nn.initializers"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"
local class = require("nn.module").class

local layers = {}

local is_tensor, max_pool2d, avg_pool2d = core.is_tensor, core.max_pool2d, core.avg_pool2d

local function pair_text(value)
    if type(value) == "string" then
        return ("%q"):format(value)
    end
    return type(value) == "table" and "{" .. table.concat(value, ", ") .. "}" or tostring(value)
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

local conv_spec, transposed_spec = {}, {}
for dims = 1, 3 do
    local counts, sizes = "counts" .. dims, "sizes" .. dims
    conv_spec[dims] = {
        {"in_channels", "count"},
        {"out_channels", "count"},
        {"kernel_size", counts},
        {"stride", counts, 1},
        {"padding", "padding" .. dims, 0},
        {"dilation", counts, 1},
        {"groups", "count", 1},
        {"bias", "boolean", true},
        {"padding_mode", "string", "zeros"},
        {"dtype", "float_dtype", "float32"},
        {"device", "string", "cpu"},
    }
    transposed_spec[dims] = {
        {"in_channels", "count"},
        {"out_channels", "count"},
        {"kernel_size", counts},
        {"stride", counts, 1},
        {"padding", sizes, 0},
        {"output_padding", sizes, 0},
        {"groups", "count", 1},
        {"bias", "boolean", true},
        {"dilation", counts, 1},
        {"dtype", "float_dtype", "float32"},
        {"device", "string", "cpu"},
    }
end

local modes = {zeros = "constant", reflect = "reflect", replicate = "replicate", circular = "circular"}

--- The fields, and weight and bias; the weight has first channels in front of the kernel.
local function make_weights(self, o, dims, fields, first, second)
    if o.in_channels % o.groups ~= 0 or o.out_channels % o.groups ~= 0 then
        raise("%s: groups must divide the channels, got groups %d, in_channels %d, out_channels %d", self._name,
            o.groups, o.in_channels, o.out_channels)
    end
    for _, name in ipairs(fields) do
        self[name] = o[name]
    end
    local kind, shape = {dtype = o.dtype, device = o.device}, {first, second}
    for i = 1, dims do
        shape[i + 2] = type(o.kernel_size) == "table" and o.kernel_size[i] or o.kernel_size
    end
    self.weight = parameter.make(core.empty(shape, kind))
    self.bias = o.bias and parameter.make(core.empty({o.out_channels}, kind)) or nil
    init.layer_(self.weight, self.bias)
end

local shapes = {"(n, %d, l) or (%d, l)", "(n, %d, h, w) or (%d, h, w)", "(n, %d, d, h, w) or (%d, d, h, w)"}

local function check_channels(self, x, dims)
    local given = is_tensor(x) and x:dim()
    if (given ~= dims + 2 and given ~= dims + 1) or x:size(-dims - 1) ~= self.in_channels then
        raise("%s: expected input of shape %s, got %s", self:describe(),
            shapes[dims]:format(self.in_channels, self.in_channels),
            given and tostring(x.shape) or options.describe(x))
    end
end

--- How much padding goes before and behind each dim, the last dim first, as tocha.pad has it.
local function both_sides(self, dims)
    local list = {}
    for i = dims, 1, -1 do
        local function at(value)
            return type(value) == "table" and value[i] or value
        end
        local padding, before = self.padding, nil
        if padding == "same" then
            local whole = at(self.dilation) * (at(self.kernel_size) - 1)
            before, padding = whole // 2, whole - whole // 2
        else
            padding = padding == "valid" and 0 or at(padding)
        end
        list[#list + 1] = before or padding
        list[#list + 1] = padding
    end
    return list
end

local conv_fields = {
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode",
}

--- Gives a class of convolutions over so many dims its methods.
local function convolution(Conv, dims, op)
    function Conv:init(...)
        local o = options.read(self._name, conv_spec[dims], ...)
        if not modes[o.padding_mode] then
            raise('%s: padding_mode must be "zeros", "reflect", "replicate" or "circular", got %s', self._name,
                options.describe(o.padding_mode))
        elseif o.padding == "same" and pair_text(o.stride):find("[2-9]") then
            raise('%s: padding "same" needs stride 1, got %s', self._name, pair_text(o.stride))
        end
        make_weights(self, o, dims, conv_fields, o.out_channels, o.in_channels // o.groups)
    end

    function Conv:forward(x)
        check_channels(self, x, dims)
        if self.padding_mode ~= "zeros" then
            local padded = core.pad(x, both_sides(self, dims), modes[self.padding_mode])
            return op(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
        end
        return op(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
    end

    function Conv:extra_repr()
        local more = extras(self, {{"stride", 1}, {"padding", 0}, {"dilation", 1}, {"groups", 1},
            {"padding_mode", "zeros"}})
        if not self.bias then
            more = more == "" and ", {bias = false}" or more:sub(1, -2) .. ", bias = false}"
        end
        return ("%d, %d, %s%s"):format(self.in_channels, self.out_channels, pair_text(self.kernel_size), more)
    end
end

--- 1-d convolution: (n, in_channels, l) gives (n, out_channels, ol), as Conv2d has it. weight: (out_channels,
--- in_channels / groups, k).
--- > nn.Conv1d(2, 4, 3)(tocha.zeros(1, 2, 10)).shape
--- 1x4x8
local Conv1d = class("Conv1d")
layers.Conv1d = Conv1d
convolution(Conv1d, 1, core.conv1d)

--- 2-d convolution: (n, in_channels, h, w) gives (n, out_channels, oh, ow) with
--- oh = (h + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1; the batch dim n may be left out.
--- weight: (out_channels, in_channels / groups, kh, kw), bias: (out_channels), uniform within 1 / sqrt(fan_in) at
--- first. kernel_size, stride (1), padding (0) and dilation (1) are a number or {vertical, horizontal}; padding may be
--- "valid", which is 0, or "same", which keeps the size; further options: groups (1), bias (true), padding_mode
--- ("zeros", "reflect", "replicate" or "circular"), dtype ("float32"), device ("cpu").
--- > nn.Conv2d(2, 4, 3, {padding = "same"})(tocha.zeros(1, 2, 5, 6)).shape
--- 1x4x5x6
local Conv2d = class("Conv2d")
layers.Conv2d = Conv2d
convolution(Conv2d, 2, core.conv2d)

--- 3-d convolution: (n, in_channels, d, h, w) gives (n, out_channels, od, oh, ow), as Conv2d has it. weight:
--- (out_channels, in_channels / groups, kd, kh, kw).
--- > nn.Conv3d(2, 4, 3)(tocha.zeros(1, 2, 5, 6, 7)).shape
--- 1x4x3x4x5
local Conv3d = class("Conv3d")
layers.Conv3d = Conv3d
convolution(Conv3d, 3, core.conv3d)

local transposed_fields = {
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "dilation",
}

--- What reaches the size wanted: the output_padding of each dim.
local function padding_for(self, x, dims, output_size)
    local list, first = {}, x:dim() - dims
    if #output_size ~= dims and #output_size ~= x:dim() then
        raise("%s: output_size must have %d or %d entries, got %d", self:describe(), dims, x:dim(), #output_size)
    end
    for i = 1, dims do
        local function at(value)
            return type(value) == "table" and value[i] or value
        end
        local least = (x:size(first + i) - 1) * at(self.stride) - 2 * at(self.padding) +
            at(self.dilation) * (at(self.kernel_size) - 1) + 1
        local wanted = output_size[#output_size - dims + i]
        list[i] = wanted - least
        if list[i] < 0 or list[i] >= at(self.stride) then
            raise("%s: output_size %d of dim %d must be in [%d, %d]", self:describe(), wanted, i, least,
                least + at(self.stride) - 1)
        end
    end
    return list
end

--- Gives a class of transposed convolutions over so many dims its methods.
local function transposed(Conv, dims, op)
    function Conv:init(...)
        local o = options.read(self._name, transposed_spec[dims], ...)
        make_weights(self, o, dims, transposed_fields, o.in_channels, o.out_channels // o.groups)
    end

    function Conv:forward(x, output_size)
        check_channels(self, x, dims)
        local more = output_size and padding_for(self, x, dims, output_size) or self.output_padding
        return op(x, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation)
    end

    function Conv:extra_repr()
        local more = extras(self, {{"stride", 1}, {"padding", 0}, {"output_padding", 0}, {"groups", 1},
            {"dilation", 1}})
        if not self.bias then
            more = more == "" and ", {bias = false}" or more:sub(1, -2) .. ", bias = false}"
        end
        return ("%d, %d, %s%s"):format(self.in_channels, self.out_channels, pair_text(self.kernel_size), more)
    end
end

--- The transpose of Conv1d: (n, in_channels, l) gives (n, out_channels, ol), as ConvTranspose2d has it.
--- > nn.ConvTranspose1d(2, 4, 3)(tocha.zeros(1, 2, 8)).shape
--- 1x4x10
local ConvTranspose1d = class("ConvTranspose1d")
layers.ConvTranspose1d = ConvTranspose1d
transposed(ConvTranspose1d, 1, core.conv_transpose1d)

--- The transpose of Conv2d, which gives back the sizes that it takes: (n, in_channels, h, w) gives (n, out_channels,
--- oh, ow) with oh = (h - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1. weight:
--- (in_channels, out_channels / groups, kh, kw). Options in order: stride (1), padding (0), output_padding (0), groups
--- (1), bias (true), dilation (1), dtype, device. forward(x, output_size) finds the output_padding for that size.
--- > nn.ConvTranspose2d(2, 4, 3, {stride = 2})(tocha.zeros(1, 2, 4, 4), {10, 9}).shape
--- 1x4x10x9
local ConvTranspose2d = class("ConvTranspose2d")
layers.ConvTranspose2d = ConvTranspose2d
transposed(ConvTranspose2d, 2, core.conv_transpose2d)

--- The transpose of Conv3d: (n, in_channels, d, h, w) gives (n, out_channels, od, oh, ow), as ConvTranspose2d has it.
--- > nn.ConvTranspose3d(2, 4, 2)(tocha.zeros(1, 2, 3, 4, 5)).shape
--- 1x4x4x5x6
local ConvTranspose3d = class("ConvTranspose3d")
layers.ConvTranspose3d = ConvTranspose3d
transposed(ConvTranspose3d, 3, core.conv_transpose3d)

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
    {"return_indices", "boolean", false},
    {"ceil_mode", "boolean", false},
}

--- The largest element of each window: (n, c, h, w) gives (n, c, oh, ow). kernel_size, stride (kernel_size), padding
--- (0) and dilation (1) are a number or {vertical, horizontal}; return_indices (false): the elements' positions too;
--- ceil_mode (false) keeps a last window that is cut.
local MaxPool2d = class("MaxPool2d")
layers.MaxPool2d = MaxPool2d

function MaxPool2d:init(...)
    local o = options.read("MaxPool2d", max_pool_spec, ...)
    self.kernel_size, self.stride = o.kernel_size, o.stride or o.kernel_size
    self.padding, self.dilation = o.padding, o.dilation
    self.return_indices, self.ceil_mode = o.return_indices, o.ceil_mode
end

function MaxPool2d:forward(x)
    check_images(self, x)
    return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
        self.return_indices)
end

function MaxPool2d:extra_repr()
    return pair_text(self.kernel_size) .. extras(self, {{"stride", self.kernel_size}, {"padding", 0}, {"dilation", 1},
        {"return_indices", false}, {"ceil_mode", false}})
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
