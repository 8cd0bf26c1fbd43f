--- Samples of the activation functions.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local nan, inf = 0 / 0, math.huge

--- Samples of a function of one tensor; numbers: arguments of one more sample. kinks: where slopes change.
local function activation(torch, numbers, kinks, extra)
    local list = {
        torch = torch,
        ulps = 0.52,
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = random {2, 0, 3}}},
        {{input = random {67}}},
        {{input = random {2, 3, 1, 5}}},
        {{input = literal {nan, 0.0, -0.0, 100.0, -50.0, 1e-3, -1e-3}}, dtypes = "float", grad = false},
        {{input = literal {30.0, -30.0, 12.0, -9.0, 1e-9, -1e-9, 5.0, -5.0}}, dtypes = "wide"},
    }
    if numbers then
        for _, shape in ipairs {{2, 3}, {67}} do
            local args = {input = random(shape)}
            for name, value in pairs(numbers) do
                args[name] = value
            end
            list[#list + 1] = {args}
        end
    end
    if kinks then
        list[#list + 1] = {{input = literal(kinks)}, differences = false}
    end
    for _, sample in ipairs(extra or {}) do
        list[#list + 1] = sample
    end
    return list
end

--- The gradient by its kernel alone.
local function backward(name, numbers, torch)
    local args = {grad = random {67}, input = random {67}, ["function"] = name}
    for i, letter in ipairs {"a", "b", "c"} do
        args[letter] = numbers and numbers[i] or nil
    end
    return {args, torch = "backward_at(lambda x: " .. torch .. ", input, grad)"}
end

return {
    relu6 = activation("F.relu6(input)", nil, {0.0, 6.0, -1.0, 7.0}, {{{input = random {9, low = 4, high = 9}}}}),
    leaky_relu = activation("F.leaky_relu(input, negative_slope)", {negative_slope = 0.25}, {0.0, -1.0, 1.0}),
    elu = activation("F.elu(input, alpha)", {alpha = 0.5}, {0.0, -1.0, 1.0}),
    celu = activation("F.celu(input, alpha)", {alpha = 0.5}, {0.0, -1.0, 1.0}, {
        {{input = random {2}, alpha = 0.0}, error = "celu: alpha must not be 0$"},
    }),
    selu = activation("F.selu(input)", nil, {0.0, -1.0, 1.0}),
    gelu = activation("F.gelu(input, approximate=approximate)", {approximate = "tanh"}, nil, {
        {{input = literal {30.0, -30.0, 12.0, -9.0, 1e-9, -1e-9, 5.0, -4.0}, approximate = "tanh"}, dtypes = "wide"},
        {{input = random {2}, approximate = "sinh"},
            error = "gelu: approximate must be \"none\" or \"tanh\", got \"sinh\"$"},
    }),
    -- PyTorch has no gradient of it for complex numbers.
    silu = activation "input * torch.sigmoid(input) if input.is_complex() else F.silu(input)",
    mish = activation "F.mish(input)",
    softplus = activation("F.softplus(input, beta, threshold)", {beta = 2.0, threshold = 3.0}, {20.0, 21.0, -21.0}, {
        {{input = random {2}, beta = 0.0}, error = "softplus: beta must not be 0$"},
    }),
    softsign = activation "F.softsign(input)",
    hardtanh = activation("F.hardtanh(input, min_val, max_val)", {min_val = -2.0, max_val = 0.5}, {-1.0, 1.0, 0.5}, {
        {{input = random {2}, min_val = 1.0, max_val = 0.0},
            error = "hardtanh: min_val must not be above max_val, got 1 and 0$"},
    }),
    hardsigmoid = activation("F.relu6(input + 3) / 6", nil, {-3.0, 3.0, 0.0, 4.0}),
    hardswish = activation("F.hardswish(input)", nil, {-3.0, 3.0, 0.0, 4.0}),
    logsigmoid = activation "F.logsigmoid(input)",
    tanhshrink = activation "F.tanhshrink(input)",
    softshrink = activation("F.softshrink(input, lambd)", {lambd = 1.0}, {0.5, -0.5, 0.25, 2.0}, {
        {{input = random {2}, lambd = -1.0}, error = "softshrink: lambd must not be negative, got %-1$"},
    }),
    hardshrink = activation("F.hardshrink(input, lambd)", {lambd = 1.0}, {0.5, -0.5, 0.25, 2.0}),
    threshold = {
        torch = "F.threshold(input, threshold, value)",
        {{input = random {2, 3}, threshold = 0.5, value = -2.0}},
        {{input = random {}, threshold = 0.5, value = -2.0}},
        {{input = random {0}, threshold = 0.5, value = -2.0}},
        {{input = random {67}, threshold = -1.0, value = 20.0}},
        {{input = literal {1.0, 0.5, 2.0}, threshold = 1.0, value = 4.0}, differences = false},
        {{input = literal {nan, inf, -inf}, threshold = 1.0, value = 4.0}, grad = false},
    },
    activation_backward = {
        ulps = 0.55,
        backward("elu", {0.5, 2.0, 0.75}, "torch.where(x > 0, x * 2.0, 0.5 * torch.expm1(0.75 * x))"),
        backward("leaky_relu", {0.25}, "F.leaky_relu(x, 0.25)"),
        backward("hardtanh", {-1.0, 2.0}, "F.hardtanh(x, -1.0, 2.0)"),
        backward("hardsigmoid", nil, "F.relu6(x + 3) / 6"),
        backward("hardswish", nil, "F.hardswish(x)"),
        backward("gelu", nil, "F.gelu(x)"),
        backward("gelu_tanh", nil, "F.gelu(x, approximate='tanh')"),
        backward("silu", nil, "F.silu(x)"),
        backward("mish", nil, "F.mish(x)"),
        backward("softplus", {2.0, 3.0}, "F.softplus(x, 2.0, 3.0)"),
        backward("logsigmoid", nil, "F.logsigmoid(x)"),
        backward("softshrink", {0.5}, "F.softshrink(x, 0.5)"),
        backward("hardshrink", {0.5}, "F.hardshrink(x, 0.5)"),
        backward("threshold", {0.5, 3.0}, "F.threshold(x, 0.5, 3.0)"),
        backward("tanhshrink", nil, "F.tanhshrink(x)"),
        backward("softsign", nil, "F.softsign(x)"),
        {{grad = random {}, input = random {}, ["function"] = "silu"},
            torch = "backward_at(lambda x: F.silu(x), input, grad)"},
        {{grad = random {0}, input = random {0}, ["function"] = "silu"}, torch = "torch.zeros_like(input)"},
        {{grad = random {2}, input = random {2}, ["function"] = "swish"},
            error = "activation_backward: there is no activation function \"swish\"$"},
        {{grad = random {2}, input = random {3}, ["function"] = "silu"},
            error = "activation_backward: grad and input must have one shape, got 2 and 3$"},
    },
    prelu_kernel = {
        torch = "torch.where(input > 0, input, input * other)",
        {{input = random {2, 3}, other = random {2, 3}}},
        {{input = random {2, 3}, other = random {3}}},
        {{input = random {}, other = random {}}},
        {{input = random {0}, other = random {}}},
        {{input = random {67}, other = values.number(0.25)}},
    },
    prelu = {
        dtypes = "float",
        torch = "F.prelu(input, weight)",
        {{input = random {2, 3}, weight = random {3}}},
        {{input = random {2, 3, 4}, weight = random {3}}},
        {{input = random {2, 3, 4, 2}, weight = random {1}}},
        {{input = random {5}, weight = random {}}},
        {{input = random {}, weight = random {1}}},
        {{input = random {0, 3}, weight = random {3}}},
        {{input = random {2, 3}, weight = random {2}},
            error = "prelu: weight must hold 1 number or one for each of the 3 channels, got shape 2$"},
    },
    rrelu = {
        dtypes = "float",
        torch = "F.rrelu(input, lower, upper, training)",
        ulps = 0.52,
        {{input = random {2, 3}}},
        {{input = random {67}, lower = 0.25, upper = 0.5}},
        {{input = random {}}},
        {{input = random {0}, training = true}},
        {{input = random {5, low = 0.25}, training = true}},
        {{input = random {5}, lower = 0.5, upper = 0.5, training = true}},
        {{input = random {5}, lower = 0.5, upper = 0.25}, error = "rrelu: lower must not be above upper, got 0%.5 and"},
    },
    glu = {
        dtypes = "float",
        torch = "F.glu(input, dim)",
        ulps = 1.1,
        {{input = random {2, 4}}},
        {{input = random {4, 3}, dim = 1}},
        {{input = random {2, 6, 3}, dim = 2}},
        {{input = random {0, 4}}},
        {{input = random {}}, error = "glu: input must have at least one dim, got a scalar$"},
        {{input = random {2, 3}}, error = "glu: input's size along dim 2 must be even, got 3$"},
    },
    softmin = {
        dtypes = "float",
        torch = "F.softmin(input, dim)",
        ulps = 0.52,
        {{input = random {2, 3}, dim = 1}},
        {{input = random {2, 3, 4}, dim = -1}},
        {{input = random {}, dim = 1}},
        {{input = random {0, 3}, dim = 2}},
    },
    gumbel_softmax = {
        dtypes = "float",
        no_grad = true,
        {{logits = literal {{100.0, -400.0}, {-400.0, 100.0}}, hard = true}, torch = "torch.eye(2).to(logits.dtype)"},
        {{logits = literal {{100.0, -400.0}, {-400.0, 100.0}}, dim = 1, tau = 0.5},
            torch = "torch.eye(2).to(logits.dtype)"},
        {{logits = random {}}, torch = "torch.ones_like(logits)"},
        {{logits = random {0, 3}}, torch = "torch.ones_like(logits)"},
        {{logits = random {2}, tau = 0.0}, error = "gumbel_softmax: tau must be positive, got 0$"},
    },
}
