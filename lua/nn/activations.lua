--- The activation functions as modules.

local applied = require "nn.applied"
local core = require "tocha.core"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"

local activations = {}

--- What forward passes on: the fields of these names, behind the input.
local function with(op, ...)
    local names = {...}
    return function(self, x)
        local values = {}
        for i, name in ipairs(names) do
            values[i] = self[name]
        end
        return op(x, table.unpack(values, 1, #names))
    end
end

local function plain(op)
    return function(_, x)
        return op(x)
    end
end

--- x where it is positive, else alpha (1) times e^x - 1.
--- > nn.ELU()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.6321, 2.0000})
activations.ELU = applied("ELU", {{"alpha", "number", 1.0}}, with(core.elu, "alpha"))

--- As ELU, with e^(x / alpha), so that the slope is 1 at 0.
--- > nn.CELU(2)(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.7869, 2.0000})
activations.CELU = applied("CELU", {{"alpha", "number", 1.0}}, with(core.celu, "alpha"))

--- ELU with the scale and alpha that keep mean 0 and variance 1.
--- > nn.SELU()(tocha.tensor({-1.0, 2.0}))
--- tensor({-1.1113, 2.1014})
activations.SELU = applied("SELU", {}, plain(core.selu))

--- x times the probability of a normal number below x; approximate ("none") may be "tanh".
--- > nn.GELU()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.1587, 1.9545})
activations.GELU = applied("GELU", {{"approximate", "string", "none"}}, with(core.gelu, "approximate"))

--- x times sigmoid(x).
--- > nn.SiLU()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.2689, 1.7616})
activations.SiLU = applied("SiLU", {}, plain(core.silu))

--- x times tanh(softplus(x)).
--- > nn.Mish()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.3034, 1.9440})
activations.Mish = applied("Mish", {}, plain(core.mish))

--- log(1 + e^(beta x)) / beta, x itself where beta x is above threshold. Options: beta (1), threshold (20).
--- > nn.Softplus()(tocha.tensor({-1.0, 2.0}))
--- tensor({0.3133, 2.1269})
activations.Softplus = applied("Softplus", {{"beta", "number", 1.0}, {"threshold", "number", 20.0}},
    with(core.softplus, "beta", "threshold"))

--- x / (1 + |x|).
--- > nn.Softsign()(tocha.tensor({-1.0, 3.0}))
--- tensor({-0.5000, 0.7500})
activations.Softsign = applied("Softsign", {}, plain(core.softsign))

--- x, from min_val (-1) to max_val (1).
--- > nn.Hardtanh()(tocha.tensor({-1.5, 0.5}))
--- tensor({-1.0000, 0.5000})
activations.Hardtanh = applied("Hardtanh", {{"min_val", "number", -1.0}, {"max_val", "number", 1.0}},
    with(core.hardtanh, "min_val", "max_val"))

--- x / 6 + 1/2, from 0 to 1.
--- > nn.Hardsigmoid()(tocha.tensor({-4.0, 0.0}))
--- tensor({0.0000, 0.5000})
activations.Hardsigmoid = applied("Hardsigmoid", {}, plain(core.hardsigmoid))

--- x times hardsigmoid(x).
--- > nn.Hardswish()(tocha.tensor({-4.0, 3.0}))
--- tensor({-0, 3})
activations.Hardswish = applied("Hardswish", {}, plain(core.hardswish))

--- x, from 0 to 6.
--- > nn.ReLU6()(tocha.tensor({-1.0, 7.0}))
--- tensor({0, 6})
activations.ReLU6 = applied("ReLU6", {}, plain(core.relu6))

--- x where it is positive, else negative_slope (0.01) times x.
--- > nn.LeakyReLU(0.5)(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.5000, 2.0000})
activations.LeakyReLU = applied("LeakyReLU", {{"negative_slope", "number", 0.01}},
    with(core.leaky_relu, "negative_slope"))

--- The logarithm of sigmoid(x).
--- > nn.LogSigmoid()(tocha.tensor({-1.0, 2.0}))
--- tensor({-1.3133, -0.1269})
activations.LogSigmoid = applied("LogSigmoid", {}, plain(core.logsigmoid))

--- x - tanh(x).
--- > nn.Tanhshrink()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.2384, 1.0360})
activations.Tanhshrink = applied("Tanhshrink", {}, plain(core.tanhshrink))

--- x drawn lambd (0.5) nearer to 0, and 0 within it.
--- > nn.Softshrink()(tocha.tensor({-1.0, 0.25}))
--- tensor({-0.5000, 0.0000})
activations.Softshrink = applied("Softshrink", {{"lambd", "rate", 0.5}}, with(core.softshrink, "lambd"))

--- x, and 0 within lambd (0.5) of 0.
--- > nn.Hardshrink()(tocha.tensor({-1.0, 0.25}))
--- tensor({-1, 0})
activations.Hardshrink = applied("Hardshrink", {{"lambd", "number", 0.5}}, with(core.hardshrink, "lambd"))

--- x where it is above threshold, else value.
--- > nn.Threshold(1, 9)(tocha.tensor({0.5, 2.0}))
--- tensor({9, 2})
activations.Threshold = applied("Threshold", {{"threshold", "number"}, {"value", "number"}},
    with(core.threshold, "threshold", "value"))

--- The first half along dim (-1) times sigmoid of the second (Dauphin et al., ICML 2017).
--- > nn.GLU()(tocha.tensor({1.0, 2.0, 0.0, 0.0}))
--- tensor({0.5000, 1.0000})
activations.GLU = applied("GLU", {{"dim", "integer", -1}}, with(core.glu, "dim"))

--- x where it is positive, else x times a slope: in training one drawn between lower (1/8) and upper (1/3) for each
--- element, else their mean.
--- > nn.RReLU(0.25, 0.75):eval()(tocha.tensor({-1.0, 2.0}))
--- tensor({-0.5000, 2.0000})
activations.RReLU = applied("RReLU", {{"lower", "number", 1 / 8}, {"upper", "number", 1 / 3}}, function(self, x)
    return core.rrelu(x, self.lower, self.upper, self.training)
end)

--- Softmax of -x along dim.
--- > nn.Softmin(1)(tocha.tensor({0.0, 0.0}))
--- tensor({0.5000, 0.5000})
activations.Softmin = applied("Softmin", {{"dim", "integer"}}, with(core.softmin, "dim"))

--- Softmax over the channels of images (n, c, h, w) or (c, h, w).
--- > nn.Softmax2d()(tocha.zeros(1, 4, 1, 1)):flatten()
--- tensor({0.2500, 0.2500, 0.2500, 0.2500})
activations.Softmax2d = applied("Softmax2d", {}, function(self, x)
    local dims = core.is_tensor(x) and x:dim()
    if dims ~= 3 and dims ~= 4 then
        raise("%s: expected input of shape (n, c, h, w) or (c, h, w), got %s", self:describe(),
            dims and tostring(x.shape) or require("tocha.options").describe(x))
    end
    return core.softmax(x, -3)
end)

local prelu_spec = {
    {"num_parameters", "count", 1}, {"init", "number", 0.25, made = true},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- x where it is positive, else x times weight, which is learned (He et al., ICCV 2015): one number, or num_parameters,
--- one for each channel of (n, c, *). Options: num_parameters (1), init (0.25), dtype ("float32"), device ("cpu").
--- > nn.PReLU()(tocha.tensor({-1.0, 2.0})):detach()
--- tensor({-0.2500, 2.0000})
activations.PReLU = applied("PReLU", prelu_spec, function(self, x)
    return core.prelu(x, self.weight)
end, function(self, o)
    self.weight = parameter.make(core.full({o.num_parameters}, o.init, {dtype = o.dtype, device = o.device}))
end)

return activations
