--- Samples of convolution and pooling.

local values = require "tests.harness.values"

local random, literal, positions = values.random, values.literal, values.positions

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function shuffled(...)
    return random {distinct = true, ints = {-100, 100}, ...}
end

local inf, nan = math.huge, 0 / 0

--- The geometries of the convolutions: input, weight, options, and the sizes of the result.
local geometries = {
    {input = {2, 3, 5, 6}, weight = {4, 3, 3, 2}, out = {2, 4, 3, 5}},
    {input = {1, 2, 5, 5}, weight = {2, 2, 3, 3}, out = {1, 2, 3, 3}, options = {stride = 2, padding = 1}},
    {input = {1, 1, 6, 7}, weight = {2, 1, 2, 3}, out = {1, 2, 3, 5},
        options = {stride = {2, 1}, padding = {0, 1}, dilation = {1, 2}}},
    {input = {2, 4, 4, 4}, weight = {6, 2, 2, 2}, out = {2, 6, 3, 3}, options = {groups = 2}},
    {input = {1, 3, 4, 4}, weight = {3, 1, 3, 3}, out = {1, 3, 4, 4}, options = {groups = 3, padding = 1}},
    {input = {1, 3, 4, 3}, weight = {5, 3, 1, 1}, out = {1, 5, 4, 3}},
    {input = {2, 1, 3, 3}, weight = {1, 1, 3, 3}, out = {2, 1, 1, 1}},
}

local function with_options(args, options)
    for name, value in pairs(options or {}) do
        args[name] = value
    end
    return args
end

local function convolutions()
    local list = {torch = "F.conv2d(input, weight, bias, stride, padding, dilation, groups)"}
    for i, g in ipairs(geometries) do
        local args = {input = small(table.unpack(g.input)), weight = small(table.unpack(g.weight))}
        if i % 2 == 1 then
            args.bias = small(g.weight[1])
        end
        list[#list + 1] = {with_options(args, g.options), second_inputs = true}
    end
    local more = {
        {{input = small(2, 4, 4), weight = small(3, 2, 2, 2), bias = small(3)}},
        {{input = small(0, 2, 4, 4), weight = small(3, 2, 2, 2)}},
        {{input = small(2, 8, 14, 14), weight = small(8, 8, 3, 3), padding = 1}, grad = false},
        {{input = small(1, 2, 3, 3), weight = small(1, 2, 4, 4)}, error = "conv2d: .*kernel"},
        {{input = small(1, 2, 3, 3), weight = small(1, 3, 2, 2)}, error = "conv2d: .*1x2x3x3.*1x3x2x2"},
        {{input = small(1, 2, 3, 3), weight = small(1, 2, 2, 2), bias = small(2)}, error = "conv2d: bias"},
        {{input = small(1, 2, 3, 3), weight = small(1, 2, 2, 2), stride = 0}, error = "conv2d: stride.*0"},
        {{input = small(1, 2, 3, 3), weight = small(1, 2, 2, 2), stride = {1, 2, 3}},
            error = "conv2d: stride must be a number or .*got 3 numbers"},
        {{input = small(1, 2, 3, 3), weight = small(1, 2, 2, 2), padding = -1}, error = "conv2d: padding.*%-1"},
        {{input = small(1, 2, 3, 3), weight = small(2, 2, 2, 2), groups = 0}, error = "conv2d: groups.*0"},
        {{input = small(), weight = small(1, 1, 1, 1)}, error = "conv2d: input"},
        {{input = small(1, 1, 3, 3), weight = small(1, 1, 2, 2), dilation = 1 << 62}, error = "conv2d: "},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

local function input_grads()
    local list = {torch = "conv_input_grad(input_size, weight, grad, stride, padding, dilation, groups)"}
    for _, g in ipairs(geometries) do
        local args = {grad = small(table.unpack(g.out)), weight = small(table.unpack(g.weight)), input_size = g.input}
        list[#list + 1] = {with_options(args, g.options)}
    end
    local more = {
        {{grad = small(0, 3, 3, 3), weight = small(3, 2, 2, 2), input_size = {0, 2, 4, 4}}},
        {{grad = small(1, 3, 3, 3), weight = small(3, 2, 2, 2), input_size = {1, 2, 9, 9}},
            error = "conv2d_input_grad: "},
        {{grad = small(), weight = small(3, 2, 2, 2), input_size = {1, 2, 4, 4}}, error = "conv2d_input_grad: "},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

local function weight_grads()
    local list = {torch = "conv_weight_grad(input, weight_size, grad, stride, padding, dilation, groups)"}
    for _, g in ipairs(geometries) do
        local args = {grad = small(table.unpack(g.out)), input = small(table.unpack(g.input)), weight_size = g.weight}
        list[#list + 1] = {with_options(args, g.options)}
    end
    local more = {
        {{grad = small(0, 3, 3, 3), input = small(0, 2, 4, 4), weight_size = {3, 2, 2, 2}}},
        {{grad = small(1, 3, 3, 3), input = small(1, 2, 9, 9), weight_size = {3, 2, 2, 2}},
            error = "conv2d_weight_grad: "},
        {{grad = small(), input = small(1, 2, 4, 4), weight_size = {3, 2, 2, 2}}, error = "conv2d_weight_grad: "},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

--- Samples of max pooling; dtypes: uint8 has too few values for shuffled ones.
local function max_pools()
    return {
        {{input = shuffled(2, 2, 4, 6), kernel_size = 2}, dtypes = "signed float"},
        {{input = shuffled(1, 2, 5, 5), kernel_size = 3, stride = 2, padding = 1}, dtypes = "signed float"},
        {{input = shuffled(1, 6, 7), kernel_size = {2, 3}, stride = {1, 2}}, dtypes = "signed float"},
        {{input = shuffled(1, 1, 6, 6), kernel_size = 2, dilation = 2, stride = 1}, dtypes = "signed float"},
        {{input = shuffled(1, 1, 5, 5), kernel_size = 2, ceil_mode = true}, dtypes = "signed float"},
        {{input = random {1, 1, 4, 4}, kernel_size = 2}, grad = false},
        {{input = random {0, 2, 4, 4}, kernel_size = 2}},
        {{input = literal {{{nan, 1.0}, {2.0, 3.0}}}, kernel_size = 2}, dtypes = "float", grad = false},
        {{input = literal {{{-inf, -inf}, {-inf, -inf}}}, kernel_size = 2}, dtypes = "float", grad = false},
        {{input = random {1, 1, 4, 4}, kernel_size = 5}, error = "max_pool2d.*: "},
        {{input = random {1, 1, 4, 4}, kernel_size = 0}, error = "max_pool2d.*: kernel_size"},
        {{input = random {1, 1, 4, 4}, kernel_size = 2, padding = 2}, error = "max_pool2d.*: padding"},
        {{input = random {4, 4}, kernel_size = 2}, error = "max_pool2d.*: input"},
        {{input = random {}, kernel_size = 1}, error = "max_pool2d.*: input"},
    }
end

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local pool = "kernel_size, stride, padding, dilation, ceil_mode"

local avg_options = {
    {input = {2, 2, 4, 6}, out = {2, 2, 2, 3}, options = {kernel_size = 2}},
    {input = {1, 2, 5, 5}, out = {1, 2, 3, 3}, options = {kernel_size = 3, stride = 2, padding = 1}},
    {input = {1, 6, 7}, out = {1, 5, 3}, options = {kernel_size = {2, 3}, stride = {1, 2}}},
    {input = {1, 1, 5, 5}, out = {1, 1, 3, 3}, options = {kernel_size = 2, ceil_mode = true}},
    {input = {1, 1, 5, 5}, out = {1, 1, 3, 3},
        options = {kernel_size = 3, stride = 2, padding = 1, count_include_pad = false}},
    {input = {1, 1, 4, 4}, out = {1, 1, 2, 2}, options = {kernel_size = 2, divisor_override = 3}},
    {input = {0, 2, 4, 4}, out = {0, 2, 2, 2}, options = {kernel_size = 2}},
}

local avg = "kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override"

local function avg_pools()
    local list = {torch = "F.avg_pool2d(input, " .. avg .. ")"}
    for i, o in ipairs(avg_options) do
        list[i] = {with_options({input = small(table.unpack(o.input))}, o.options)}
    end
    local more = {
        {{input = small(1, 1, 4, 4), kernel_size = 5}, error = "avg_pool2d: "},
        {{input = small(1, 1, 4, 4), kernel_size = 2, padding = 2}, error = "avg_pool2d: padding"},
        {{input = small(1, 1, 4, 4), kernel_size = 2, divisor_override = 0}, error = "avg_pool2d: divisor_override.*0"},
        {{input = small(), kernel_size = 1}, error = "avg_pool2d: input"},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

local function avg_grads()
    local list = {torch = "input_gradient(lambda x: F.avg_pool2d(x, " .. avg .. "), input_size, grad)"}
    for i, o in ipairs(avg_options) do
        list[i] = {with_options({grad = small(table.unpack(o.out)), input_size = o.input}, o.options)}
    end
    list[#list + 1] = {{grad = small(1, 1, 3, 3), input_size = {1, 1, 4, 4}, kernel_size = 2},
        error = "avg_pool2d_backward: "}
    list[#list + 1] = {{grad = small(), input_size = {1, 1, 4, 4}, kernel_size = 2}, error = "avg_pool2d_backward: "}
    return list
end

return {
    conv2d = convolutions(),
    conv2d_input_grad = input_grads(),
    conv2d_weight_grad = weight_grads(),
    max_pool2d_with_indices = with(max_pools(), {
        torch = "positions(F.max_pool2d(input, " .. pool .. ", return_indices=True))",
    }),
    max_pool2d = with(max_pools(), {dtypes = "real", torch = "F.max_pool2d(input, " .. pool .. ")"}),
    max_pool2d_backward = {
        torch = "unpool(grad, indices, input_size)",
        {{grad = random {1, 2, 2}, indices = positions {{{1, 6}, {11, 16}}}, input_size = {1, 4, 4}}},
        {{grad = random {2, 1, 2}, indices = positions {{{4, 4}}, {{1, 2}}}, input_size = {2, 2, 2}}},
        {{grad = random {0, 1, 2, 2}, indices = values.index(4, {0, 1, 2, 2}), input_size = {0, 1, 4, 4}}},
        {{grad = random {1, 1, 1}, indices = positions {{{5}}}, input_size = {1, 2, 2}}, error = "5"},
        {{grad = random {1, 1, 1}, indices = positions {{{0}}}, input_size = {1, 2, 2}}, error = "0"},
        {{grad = random {}, indices = positions(1), input_size = {1, 2, 2}}, error = "max_pool2d_backward: "},
    },
    avg_pool2d = avg_pools(),
    avg_pool2d_backward = avg_grads(),
}
