--- Normalisation as modules.

local applied = require "nn.applied"
local core = require "tocha.core"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"

local norms = {}

local function batch_spec(affine, track)
    return {
        {"num_features", "count"}, {"eps", "rate", 1e-5}, {"momentum", "any", 0.1}, {"affine", "boolean", affine},
        {"track_running_stats", "boolean", track}, {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
    }
end

--- momentum = false: the running statistics are the mean of all batches.
local function make_statistics(self, o)
    local kind = {dtype = o.dtype, device = o.device}
    if o.momentum ~= false and type(o.momentum) ~= "number" then
        raise("%s: momentum must be a number or false, got %s", self._name, options.describe(o.momentum))
    end
    if o.affine then
        self.weight = parameter.make(core.ones({o.num_features}, kind))
        self.bias = parameter.make(core.zeros({o.num_features}, kind))
    end
    if o.track_running_stats then
        self:register_buffer("running_mean", core.zeros({o.num_features}, kind))
        self:register_buffer("running_var", core.ones({o.num_features}, kind))
        self:register_buffer("num_batches_tracked", core.zeros({}, {dtype = "int64", device = o.device}))
    end
end

local function check_dims(self, x, least, most, expected)
    local dims = core.is_tensor(x) and x:dim()
    if not dims or dims < least or dims > most then
        raise("%s: expected input of shape %s, got %s", self:describe(), expected,
            dims and tostring(x.shape) or options.describe(x))
    end
end

--- The share of this batch in the running statistics.
local function next_momentum(self)
    if self.training and self.track_running_stats then
        self.num_batches_tracked:add_(1)
        return self.momentum or 1 / self.num_batches_tracked:item()
    end
    return self.momentum or 0
end

local function batch_norm(least, most, expected)
    return function(self, x)
        check_dims(self, x, least, most, expected)
        local momentum = next_momentum(self)
        local by_batch = self.training or not self.track_running_stats
        return core.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum,
            self.eps)
    end
end

--- Normalises each feature over the batch (n, c) or (n, c, l) in training, and by running statistics in evaluation
--- (Ioffe and Szegedy, ICML 2015). Options: eps (1e-5); momentum (0.1), the share of a batch in the running
--- statistics, or false for the mean of all batches; affine (true): weight and bias (c), ones and zeros at first;
--- track_running_stats (true); dtype ("float32"), device ("cpu").
--- > nn.BatchNorm1d(1, {eps = 0})(tocha.tensor({{1.0}, {3.0}})):detach():flatten()
--- tensor({-1, 1})
norms.BatchNorm1d = applied("BatchNorm1d", batch_spec(true, true), batch_norm(2, 3, "(n, c) or (n, c, l)"),
    make_statistics)

--- BatchNorm1d for images (n, c, h, w).
--- > nn.BatchNorm2d(3)(tocha.randn(2, 3, 4, 4)).shape
--- 2x3x4x4
norms.BatchNorm2d = applied("BatchNorm2d", batch_spec(true, true), batch_norm(4, 4, "(n, c, h, w)"), make_statistics)

--- BatchNorm1d for volumes (n, c, d, h, w).
--- > nn.BatchNorm3d(3)(tocha.randn(2, 3, 2, 4, 4)).shape
--- 2x3x2x4x4
norms.BatchNorm3d = applied("BatchNorm3d", batch_spec(true, true), batch_norm(5, 5, "(n, c, d, h, w)"),
    make_statistics)

local function instance_norm(dims, expected)
    return function(self, x)
        check_dims(self, x, dims - 1, dims, expected)
        local single = x:dim() == dims - 1
        local by_input = self.training or not self.track_running_stats
        if self.training and self.track_running_stats then
            self.num_batches_tracked:add_(1)
        end
        local y = core.instance_norm(single and x:unsqueeze(1) or x, self.running_mean, self.running_var, self.weight,
            self.bias, by_input, self.momentum or 0, self.eps)
        return single and y:squeeze(1) or y
    end
end

--- Normalises each channel of each sample, (n, c, l) or (c, l) (Ulyanov et al., 2016). Options as of BatchNorm1d, but
--- affine and track_running_stats are false.
--- > nn.InstanceNorm1d(1, {eps = 0})(tocha.tensor({{{1.0, 3.0}}})):flatten()
--- tensor({-1, 1})
norms.InstanceNorm1d = applied("InstanceNorm1d", batch_spec(false, false), instance_norm(3, "(n, c, l) or (c, l)"),
    make_statistics)

--- InstanceNorm1d for images (n, c, h, w) or (c, h, w).
--- > nn.InstanceNorm2d(3)(tocha.randn(2, 3, 4, 4)).shape
--- 2x3x4x4
norms.InstanceNorm2d = applied("InstanceNorm2d", batch_spec(false, false),
    instance_norm(4, "(n, c, h, w) or (c, h, w)"), make_statistics)

--- InstanceNorm1d for volumes (n, c, d, h, w) or (c, d, h, w).
--- > nn.InstanceNorm3d(3)(tocha.randn(3, 2, 4, 4)).shape
--- 3x2x4x4
norms.InstanceNorm3d = applied("InstanceNorm3d", batch_spec(false, false),
    instance_norm(5, "(n, c, d, h, w) or (c, d, h, w)"), make_statistics)

local group_spec = {
    {"num_groups", "count"}, {"num_channels", "count"}, {"eps", "rate", 1e-5}, {"affine", "boolean", true},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- Normalises groups of channels of each sample (n, c, *) (Wu and He, ECCV 2018). num_groups divides num_channels.
--- Options: eps (1e-5); affine (true): weight and bias (c), ones and zeros at first; dtype ("float32"), device ("cpu").
--- > nn.GroupNorm(2, 4)(tocha.randn(2, 4, 3)).shape
--- 2x4x3
norms.GroupNorm = applied("GroupNorm", group_spec, function(self, x)
    return core.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
end, function(self, o)
    if o.num_channels % o.num_groups ~= 0 then
        raise("GroupNorm: num_groups must divide num_channels, got %d and %d", o.num_groups, o.num_channels)
    end
    if o.affine then
        local kind = {dtype = o.dtype, device = o.device}
        self.weight = parameter.make(core.ones({o.num_channels}, kind))
        self.bias = parameter.make(core.zeros({o.num_channels}, kind))
    end
end)

local function as_list(shape)
    return type(shape) == "table" and shape or {shape}
end

local layer_spec = {
    {"normalized_shape", "shape"}, {"eps", "rate", 1e-5}, {"elementwise_affine", "boolean", true},
    {"bias", "boolean", true, made = true}, {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- Normalises the last dims of each sample, whose sizes normalized_shape says (Ba et al., 2016). Options: eps (1e-5);
--- elementwise_affine (true): weight of that shape and, unless bias is false, bias, ones and zeros at first; dtype
--- ("float32"), device ("cpu").
--- > nn.LayerNorm(2, {eps = 0})(tocha.tensor({1.0, 3.0})):detach()
--- tensor({-1, 1})
norms.LayerNorm = applied("LayerNorm", layer_spec, function(self, x)
    return core.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
end, function(self, o)
    local kind = {dtype = o.dtype, device = o.device}
    self.normalized_shape = as_list(o.normalized_shape)
    if o.elementwise_affine then
        self.weight = parameter.make(core.ones(self.normalized_shape, kind))
        self.bias = o.bias and parameter.make(core.zeros(self.normalized_shape, kind)) or nil
    end
end)

local rms_spec = {
    {"normalized_shape", "shape"}, {"eps", "rate", optional = true}, {"elementwise_affine", "boolean", true},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- Divides the last dims of each sample, whose sizes normalized_shape says, by their root mean square (Zhang and
--- Sennrich, NeurIPS 2019). Options: eps, the distance of 1 to the next number of the dtype unless given;
--- elementwise_affine (true): weight of that shape, ones at first; dtype ("float32"), device ("cpu").
--- > nn.RMSNorm(2)(tocha.tensor({1.0, 7.0})):detach()
--- tensor({0.2000, 1.4000})
norms.RMSNorm = applied("RMSNorm", rms_spec, function(self, x)
    return core.rms_norm(x, self.normalized_shape, self.weight, self.eps)
end, function(self, o)
    self.normalized_shape = as_list(o.normalized_shape)
    if o.elementwise_affine then
        self.weight = parameter.make(core.ones(self.normalized_shape, {dtype = o.dtype, device = o.device}))
    end
end)

local response_spec = {{"size", "count"}, {"alpha", "number", 1e-4}, {"beta", "number", 0.75}, {"k", "number", 1.0}}

--- Divides each element of (n, c, *) by what its size neighbours among the channels come to: alpha (1e-4), beta (0.75)
--- and k (1) as in tocha.local_response_norm (Krizhevsky et al., NeurIPS 2012).
--- > nn.LocalResponseNorm(2)(tocha.ones(1, 3, 2)).shape
--- 1x3x2
norms.LocalResponseNorm = applied("LocalResponseNorm", response_spec, function(self, x)
    return core.local_response_norm(x, self.size, self.alpha, self.beta, self.k)
end)

return norms
