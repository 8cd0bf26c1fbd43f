--- Pooling as modules, but for MaxPool2d and AvgPool2d, which stand with the convolutions.

local applied = require "nn.applied"
local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local pooling = {}

local max_spec, average_spec, lp_spec, unpool_spec = {}, {}, {}, {}
for dims = 1, 3 do
    local counts, sizes = "counts" .. dims, "sizes" .. dims
    max_spec[dims] = {
        {"kernel_size", counts}, {"stride", counts, optional = true}, {"padding", sizes, 0}, {"dilation", counts, 1},
        {"return_indices", "boolean", false}, {"ceil_mode", "boolean", false},
    }
    average_spec[dims] = {
        {"kernel_size", counts}, {"stride", counts, optional = true}, {"padding", sizes, 0},
        {"ceil_mode", "boolean", false}, {"count_include_pad", "boolean", true},
    }
    lp_spec[dims] = {
        {"norm_type", "number"}, {"kernel_size", counts}, {"stride", counts, optional = true},
        {"ceil_mode", "boolean", false},
    }
    unpool_spec[dims] = {{"kernel_size", counts}, {"stride", counts, optional = true}, {"padding", sizes, 0}}
end
table.insert(average_spec[3], {"divisor_override", "count", optional = true})

local function largest(op)
    return function(self, x)
        return op(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)
    end
end

--- The largest element of each window of (n, c, l) or (c, l). kernel_size, stride (kernel_size), padding (0), dilation
--- (1); return_indices (false): the elements' positions too; ceil_mode (false) keeps a last window that is cut.
--- > nn.MaxPool1d(2)(tocha.tensor({{1.0, 3.0, 2.0, 4.0}}))
--- tensor({{3, 4}})
pooling.MaxPool1d = applied("MaxPool1d", max_spec[1], largest(core.max_pool1d))

--- MaxPool1d for volumes (n, c, d, h, w) or (c, d, h, w); sizes are a number or a list of three.
--- > nn.MaxPool3d(2)(tocha.zeros(1, 1, 4, 4, 6)).shape
--- 1x1x2x2x3
pooling.MaxPool3d = applied("MaxPool3d", max_spec[3], largest(core.max_pool3d))

--- The mean of each window of (n, c, l) or (c, l). kernel_size, stride (kernel_size), padding (0), ceil_mode (false),
--- count_include_pad (true).
--- > nn.AvgPool1d(2)(tocha.tensor({{1.0, 3.0, 2.0, 4.0}}))
--- tensor({{2, 3}})
pooling.AvgPool1d = applied("AvgPool1d", average_spec[1], function(self, x)
    return core.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
end)

--- AvgPool1d for volumes (n, c, d, h, w) or (c, d, h, w); sizes are a number or a list of three; divisor_override
--- replaces the number of elements that the sum is divided by.
--- > nn.AvgPool3d(2)(tocha.ones(1, 1, 2, 2, 2)):flatten()
--- tensor({1})
pooling.AvgPool3d = applied("AvgPool3d", average_spec[3], function(self, x)
    return core.avg_pool3d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
        self.divisor_override)
end)

--- An output size: a number or a list, in which false or -1 stands for the input's size.
local function read_output_size(self, o, dims)
    local given = o.output_size
    local list = type(given) == "table" and given or {given}
    local sizes = {}
    for i, size in ipairs(list) do
        sizes[i] = size == false and -1 or math.type(size) == "integer" and size >= -1 and size or nil
    end
    if #sizes ~= #list or (#list ~= dims and #list ~= 1) then
        raise("%s: output_size must be a whole number or a list of %d, got %s", self._name, dims,
            options.describe(given))
    end
    self.output_size = #list == 1 and sizes[1] or sizes
end

local function adaptive(name, op, dims)
    local is_largest = name:find("Max", 1, true)
    local spec = {{"output_size", "any"}, is_largest and {"return_indices", "boolean", false} or nil}
    return name, spec, function(self, x)
        if is_largest then
            return op(x, self.output_size, self.return_indices)
        end
        return op(x, self.output_size)
    end, function(self, o)
        read_output_size(self, o, dims)
    end
end

--- The means of as many windows of (n, c, l) or (c, l) as output_size says.
--- > nn.AdaptiveAvgPool1d(1)(tocha.tensor({{1.0, 3.0}}))
--- tensor({{2}})
pooling.AdaptiveAvgPool1d = applied(adaptive("AdaptiveAvgPool1d", core.adaptive_avg_pool1d, 1))

--- AdaptiveAvgPool1d for images; output_size is a number or {height, width}, of which false keeps the input's.
--- > nn.AdaptiveAvgPool2d({1, false})(tocha.zeros(1, 2, 4, 5)).shape
--- 1x2x1x5
pooling.AdaptiveAvgPool2d = applied(adaptive("AdaptiveAvgPool2d", core.adaptive_avg_pool2d, 2))

--- AdaptiveAvgPool1d for volumes; output_size is a number or a list of three, of which false keeps the input's.
--- > nn.AdaptiveAvgPool3d(2)(tocha.zeros(1, 2, 4, 5, 6)).shape
--- 1x2x2x2x2
pooling.AdaptiveAvgPool3d = applied(adaptive("AdaptiveAvgPool3d", core.adaptive_avg_pool3d, 3))

--- The largest elements of as many windows of (n, c, l) or (c, l) as output_size says; return_indices (false): their
--- positions too.
--- > nn.AdaptiveMaxPool1d(1)(tocha.tensor({{1.0, 3.0}}))
--- tensor({{3}})
pooling.AdaptiveMaxPool1d = applied(adaptive("AdaptiveMaxPool1d", core.adaptive_max_pool1d, 1))

--- AdaptiveMaxPool1d for images; output_size is a number or {height, width}, of which false keeps the input's.
--- > nn.AdaptiveMaxPool2d({1, false})(tocha.zeros(1, 2, 4, 5)).shape
--- 1x2x1x5
pooling.AdaptiveMaxPool2d = applied(adaptive("AdaptiveMaxPool2d", core.adaptive_max_pool2d, 2))

--- AdaptiveMaxPool1d for volumes; output_size is a number or a list of three, of which false keeps the input's.
--- > nn.AdaptiveMaxPool3d(2)(tocha.zeros(1, 2, 4, 5, 6)).shape
--- 1x2x2x2x2
pooling.AdaptiveMaxPool3d = applied(adaptive("AdaptiveMaxPool3d", core.adaptive_max_pool3d, 3))

local function by_power(op)
    return function(self, x)
        return op(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
    end
end

--- The norm_type-norm of each window of (n, c, l) or (c, l). kernel_size, stride (kernel_size), ceil_mode (false).
--- > nn.LPPool1d(2, 2)(tocha.tensor({{3.0, 4.0}}))
--- tensor({{5}})
pooling.LPPool1d = applied("LPPool1d", lp_spec[1], by_power(core.lp_pool1d))

--- LPPool1d for images; sizes are a number or a list of two.
--- > nn.LPPool2d(1, 2)(tocha.ones(1, 1, 2, 2)):flatten()
--- tensor({4})
pooling.LPPool2d = applied("LPPool2d", lp_spec[2], by_power(core.lp_pool2d))

--- LPPool1d for volumes; sizes are a number or a list of three.
--- > nn.LPPool3d(1, 2)(tocha.ones(1, 1, 2, 2, 2)):flatten()
--- tensor({8})
pooling.LPPool3d = applied("LPPool3d", lp_spec[3], by_power(core.lp_pool3d))

local function unpool(op)
    return function(self, x, indices, output_size)
        return op(x, indices, self.kernel_size, self.stride, self.padding, output_size)
    end
end

--- Puts the elements that MaxPool1d has found back to their positions among zeros: forward(x, indices, output_size),
--- where output_size may be left out. kernel_size, stride (kernel_size) and padding (0) as of MaxPool1d.
--- > nn.MaxUnpool1d(2)(tocha.tensor({{3.0}}), tocha.tensor({{2}}))
--- tensor({{0, 3}})
pooling.MaxUnpool1d = applied("MaxUnpool1d", unpool_spec[1], unpool(core.max_unpool1d))

--- MaxUnpool1d for images; sizes are a number or a list of two.
--- > nn.MaxUnpool2d(2)(tocha.ones(1, 1, 1), tocha.tensor({{{4}}}))
--- tensor({{{0, 0},
---          {0, 1}}})
pooling.MaxUnpool2d = applied("MaxUnpool2d", unpool_spec[2], unpool(core.max_unpool2d))

--- MaxUnpool1d for volumes; sizes are a number or a list of three.
--- > nn.MaxUnpool3d(2)(tocha.ones(1, 1, 1, 1), tocha.tensor({{{{8}}}})):flatten()
--- tensor({0, 0, 0, 0, 0, 0, 0, 1})
pooling.MaxUnpool3d = applied("MaxUnpool3d", unpool_spec[3], unpool(core.max_unpool3d))

local function fraction_spec(dims)
    return {
        {"kernel_size", "counts" .. dims}, {"output_size", "counts" .. dims, optional = true},
        {"output_ratio", "any", optional = true}, {"return_indices", "boolean", false},
        {"_random_samples", "tensor", optional = true},
    }
end

local function fractional(op)
    return function(self, x)
        return op(x, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples)
    end
end

--- The largest elements of windows at random distances (Graham, 2014) of images (n, c, h, w) or (c, h, w):
--- output_size of them, or output_ratio times as many as the input's size; return_indices (false): their positions
--- too; _random_samples, in [0, 1) and of shape (n, c, 2), are drawn unless given.
--- > nn.FractionalMaxPool2d(2, {output_size = 3})(tocha.zeros(1, 1, 6, 6)).shape
--- 1x1x3x3
pooling.FractionalMaxPool2d = applied("FractionalMaxPool2d", fraction_spec(2), fractional(core.fractional_max_pool2d))

--- FractionalMaxPool2d for volumes; sizes are a number or a list of three.
--- > nn.FractionalMaxPool3d(2, {output_ratio = 0.5})(tocha.zeros(1, 1, 6, 6, 6)).shape
--- 1x1x3x3x3
pooling.FractionalMaxPool3d = applied("FractionalMaxPool3d", fraction_spec(3), fractional(core.fractional_max_pool3d))

return pooling
