--- nn.init: fills tensors in place, without recording gradients, and returns them.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local init = {}

local function check(who, tensor)
    if not core.is_tensor(tensor) then
        raise("%s: expected a tensor, got %s", who, options.describe(tensor))
    end
end

--- Calls the in-place method of a tensor with gradients off.
local function fill(who, tensor, method, ...)
    check(who, tensor)
    core.no_grad(tensor[method], tensor, ...)
    return tensor
end

--- Uniform numbers from a (0) to b (1).
function init.uniform_(tensor, a, b)
    return fill("uniform_", tensor, "uniform_", a or 0, b or 1)
end

--- Normally distributed numbers.
function init.normal_(tensor, mean, std)
    return fill("normal_", tensor, "normal_", mean or 0, std or 1)
end

function init.constant_(tensor, value)
    return fill("constant_", tensor, "fill_", value)
end

function init.zeros_(tensor)
    return fill("zeros_", tensor, "fill_", 0)
end

function init.ones_(tensor)
    return fill("ones_", tensor, "fill_", 1)
end

--- Ones on the diagonal of a matrix, zeros elsewhere.
function init.eye_(tensor)
    check("eye_", tensor)
    if tensor:dim() ~= 2 then
        raise("eye_: expected a matrix, got shape %s", tostring(tensor.shape))
    end
    local eye = core.eye(tensor:size(1), tensor:size(2), {dtype = tensor.dtype, device = tensor.device})
    return fill("eye_", tensor, "copy_", eye)
end

--- How many inputs a unit of a weight (out, in, ...) has, and how many units each input reaches.
local function fans(who, tensor)
    check(who, tensor)
    if tensor:dim() < 2 then
        raise("%s: expected a weight of 2 dims or more (out, in, ...), got shape %s", who, tostring(tensor.shape))
    end
    local field = 1
    for d = 3, tensor:dim() do
        field = field * tensor:size(d)
    end
    return tensor:size(2) * field, tensor:size(1) * field
end

local gains = {
    linear = 1, conv2d = 1, sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
    leaky_relu = function(slope) return math.sqrt(2 / (1 + slope * slope)) end,
}

--- The factor by which a nonlinearity ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu") wants
--- the standard deviation of the weights before it; param is leaky_relu's slope (0.01).
function init.calculate_gain(nonlinearity, param)
    local gain = gains[nonlinearity]
    if not gain then
        raise("calculate_gain: unknown nonlinearity %s; known: conv2d, leaky_relu, linear, relu, selu, sigmoid, tanh",
            options.describe(nonlinearity))
    end
    return type(gain) == "function" and gain(param or 0.01) or gain
end

local kaiming_spec = {{"a", "number", 0}, {"mode", "string", "fan_in"}, {"nonlinearity", "string", "leaky_relu"}}

local function kaiming_std(who, tensor, ...)
    local given = options.read(who, kaiming_spec, ...)
    local fan_in, fan_out = fans(who, tensor)
    if given.mode ~= "fan_in" and given.mode ~= "fan_out" then
        raise("%s: mode must be fan_in or fan_out, got %s", who, options.describe(given.mode))
    end
    local fan = given.mode == "fan_in" and fan_in or fan_out
    return fan == 0 and 0 or init.calculate_gain(given.nonlinearity, given.a) / math.sqrt(fan)
end

--- Uniform numbers that keep the variance of activations (He et al., Delving Deep into Rectifiers, ICCV 2015).
--- Options: a (0), the slope of leaky_relu; mode ("fan_in" or "fan_out"); nonlinearity ("leaky_relu").
function init.kaiming_uniform_(tensor, ...)
    local bound = math.sqrt(3) * kaiming_std("kaiming_uniform_", tensor, ...)
    return init.uniform_(tensor, -bound, bound)
end

--- As kaiming_uniform_, normally distributed.
function init.kaiming_normal_(tensor, ...)
    return init.normal_(tensor, 0, kaiming_std("kaiming_normal_", tensor, ...))
end

local function xavier_std(who, tensor, gain)
    local fan_in, fan_out = fans(who, tensor)
    if gain ~= nil and type(gain) ~= "number" then
        raise("%s: gain must be a number, got %s", who, options.describe(gain))
    end
    return fan_in + fan_out == 0 and 0 or (gain or 1) * math.sqrt(2 / (fan_in + fan_out))
end

--- Uniform numbers that balance the variance forwards and backwards (Glorot and Bengio, Understanding the
--- difficulty of training deep feedforward neural networks, AISTATS 2010). gain is 1 unless given.
function init.xavier_uniform_(tensor, gain)
    local bound = math.sqrt(3) * xavier_std("xavier_uniform_", tensor, gain)
    return init.uniform_(tensor, -bound, bound)
end

--- As xavier_uniform_, normally distributed.
function init.xavier_normal_(tensor, gain)
    return init.normal_(tensor, 0, xavier_std("xavier_normal_", tensor, gain))
end

--- Fills the weight of Linear and Conv2d and their bias (may be nil) as PyTorch does: uniform within
--- 1 / sqrt(fan_in).
function init.layer_(weight, bias)
    local fan_in = fans("layer_", weight)
    local bound = fan_in > 0 and 1 / math.sqrt(fan_in) or 0
    init.uniform_(weight, -bound, bound)
    if bias then
        init.uniform_(bias, -bound, bound)
    end
end

return init
