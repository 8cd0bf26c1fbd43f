--- Samples of convolution.

local values = require "tests.harness.values"

local random = values.random

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function sized(shape)
    return small(table.unpack(shape))
end

--- The geometries of the convolutions: input, weight, options, and the sizes of the result.
local geometries = {
    {
        {input = {2, 3, 7}, weight = {4, 3, 3}, out = {2, 4, 5}},
        {input = {1, 4, 8}, weight = {6, 2, 2}, out = {1, 6, 5}, options = {stride = 2, padding = 2, dilation = 3,
            groups = 2}},
        {input = {2, 3, 5}, weight = {3, 1, 3}, out = {2, 3, 5}, options = {groups = 3, padding = 1}},
    },
    {
        {input = {2, 3, 5, 6}, weight = {4, 3, 3, 2}, out = {2, 4, 3, 5}},
        {input = {1, 2, 5, 5}, weight = {2, 2, 3, 3}, out = {1, 2, 3, 3}, options = {stride = 2, padding = 1}},
        {input = {1, 1, 6, 7}, weight = {2, 1, 2, 3}, out = {1, 2, 3, 5},
            options = {stride = {2, 1}, padding = {0, 1}, dilation = {1, 2}}},
        {input = {2, 4, 4, 4}, weight = {6, 2, 2, 2}, out = {2, 6, 3, 3}, options = {groups = 2}},
        {input = {1, 3, 4, 4}, weight = {3, 1, 3, 3}, out = {1, 3, 4, 4}, options = {groups = 3, padding = 1}},
        {input = {1, 3, 4, 3}, weight = {5, 3, 1, 1}, out = {1, 5, 4, 3}},
        {input = {1, 2, 5, 4}, weight = {3, 2, 1, 1}, out = {1, 3, 3, 2}, options = {stride = 2}},
        {input = {2, 1, 3, 3}, weight = {1, 1, 3, 3}, out = {2, 1, 1, 1}},
    },
    {
        {input = {2, 2, 3, 4, 3}, weight = {3, 2, 2, 3, 1}, out = {2, 3, 2, 2, 3}},
        {input = {1, 2, 4, 3, 5}, weight = {2, 1, 2, 2, 3}, out = {1, 2, 3, 2, 5},
            options = {stride = {2, 2, 1}, padding = {1, 1, 2}, dilation = {1, 2, 2}, groups = 2}},
        {input = {1, 2, 3, 2, 3}, weight = {2, 2, 1, 1, 1}, out = {1, 2, 2, 1, 2}, options = {stride = 2}},
    },
}

local function with_options(args, options)
    for name, value in pairs(options or {}) do
        args[name] = value
    end
    return args
end

local function append(list, more)
    return table.move(more, 1, #more, #list + 1, list)
end

--- A list of the size n, dims times, behind those given.
local function cube(dims, n, ...)
    local shape = {...}
    for _ = 1, dims do
        shape[#shape + 1] = n
    end
    return shape
end

local function convolutions(dims)
    local list = {torch = ("F.conv%dd(input, weight, bias, stride, padding, dilation, groups)"):format(dims)}
    for i, g in ipairs(geometries[dims]) do
        local args = {input = sized(g.input), weight = sized(g.weight)}
        if i % 2 == 1 then
            args.bias = small(g.weight[1])
        end
        list[#list + 1] = {with_options(args, g.options), second_inputs = true}
    end
    local name = ("conv%dd"):format(dims)
    local x, w = sized(cube(dims, 3, 1, 2)), sized(cube(dims, 2, 1, 2))
    return append(list, {
        {{input = sized(cube(dims, 4, 2)), weight = sized(cube(dims, 2, 3, 2)), bias = small(3)}},
        {{input = sized(cube(dims, 4, 0, 2)), weight = sized(cube(dims, 2, 3, 2))}},
        {{input = x, weight = sized(cube(dims, 4, 1, 2))}, error = name .. ": .*kernel"},
        {{input = x, weight = sized(cube(dims, 2, 1, 3))}, error = name .. ": input 1x2x.* but weight 1x3x"},
        {{input = x, weight = w, bias = small(2)}, error = name .. ": bias must have 1 elements"},
        {{input = x, weight = w, stride = 0}, error = name .. ": stride must be between 1 and %d+, got 0"},
        {{input = x, weight = w, stride = {1, 2, 3, 4}}, error = name .. ": stride must be a number.*got 4 numbers"},
        {{input = x, weight = w, padding = -1}, error = name .. ": padding must be between 0 and %d+, got %-1"},
        {{input = x, weight = sized(cube(dims, 2, 2, 2)), groups = 0}, error = name .. ": groups.*0"},
        {{input = small(), weight = w}, error = name .. ": input must be %(n, c, .* got scalar"},
        {{input = x, weight = small(1, 2)}, error = name .. ": weight must be %(o, c / groups, .* got 1x2$"},
        {{input = x, weight = w, dilation = 1 << 62}, error = name .. ": dilation must be between"},
    })
end

local function named(dims)
    local name = ("conv%dd"):format(dims)
    local x, w = sized(cube(dims, 5, 1, 2)), sized(cube(dims, 3, 2, 2))
    local dilation = dims == 3 and {1, 2, 1} or 2
    return {
        torch = ("F.conv%dd(input, weight, bias, stride, padding, dilation, groups)"):format(dims),
        dtypes = "float complex",
        {{input = x, weight = w, padding = "same"}, second_inputs = true},
        {{input = x, weight = w, padding = "valid", bias = small(2), stride = 2}},
        {{input = sized(cube(dims, 5, 2)), weight = sized(cube(dims, 3, 4, 1)), padding = "same", dilation = dilation,
            groups = 2}},
        {{input = sized(cube(dims, 4, 1, 1)), weight = sized(cube(dims, 2, 1, 1)), padding = "same"}},
        {{input = sized(cube(dims, 4, 0, 1)), weight = sized(cube(dims, 2, 1, 1)), padding = "same"}},
        {{input = x, weight = w, padding = "same", stride = 2}, error = name .. ': padding "same" needs a stride of 1'},
        {{input = x, weight = w, padding = "full"},
            error = name .. ': padding must be numbers, "same" or "valid", got'},
        {{input = small(), weight = w, padding = "same"}, error = name .. ": input"},
    }
end

local function input_grads()
    local list = {torch = "conv_input_grad(input_size, weight.conj(), grad, stride, padding, dilation, groups)"}
    for dims = 1, 3 do
        for _, g in ipairs(geometries[dims]) do
            local args = {grad = sized(g.out), weight = sized(g.weight), input_size = g.input}
            list[#list + 1] = {with_options(args, g.options)}
        end
    end
    return append(list, {
        {{grad = small(0, 3, 3, 3), weight = small(3, 2, 2, 2), input_size = {0, 2, 4, 4}}},
        {{grad = small(1, 3, 3, 3), weight = small(3, 2, 2, 2), input_size = {1, 2, 9, 9}},
            error = "conv_input_grad: grad must have the result's shape 1x3x8x8, got 1x3x3x3"},
        {{grad = small(), weight = small(3, 2, 2, 2), input_size = {1, 2, 4, 4}}, error = "conv_input_grad: "},
        {{grad = small(1, 2), weight = small(3, 2), input_size = {1, 2}}, error = "conv_input_grad: weight must be"},
    })
end

local function weight_grads()
    local list = {torch = "conv_weight_grad(input.conj(), weight_size, grad, stride, padding, dilation, groups)"}
    for dims = 1, 3 do
        for _, g in ipairs(geometries[dims]) do
            local args = {grad = sized(g.out), input = sized(g.input), weight_size = g.weight}
            list[#list + 1] = {with_options(args, g.options)}
        end
    end
    return append(list, {
        {{grad = small(0, 3, 3, 3), input = small(0, 2, 4, 4), weight_size = {3, 2, 2, 2}}},
        {{grad = small(1, 3, 3, 3), input = small(1, 2, 9, 9), weight_size = {3, 2, 2, 2}},
            error = "conv_weight_grad: "},
        {{grad = small(), input = small(1, 2, 4, 4), weight_size = {3, 2, 2, 2}}, error = "conv_weight_grad: "},
    })
end

local function transposed(dims)
    local name = ("conv_transpose%dd"):format(dims)
    local x, w = sized(cube(dims, 3, 1, 2)), sized(cube(dims, 2, 2, 3))
    return {
        dtypes = "float complex",
        torch = ("F.%s(input, weight, bias, stride, padding, output_padding, groups, dilation)"):format(name),
        {{input = x, weight = w, bias = small(3)}, second_inputs = true},
        {{input = x, weight = w, stride = 2, padding = 1, output_padding = 1}},
        {{input = sized(cube(dims, 2, 2)), weight = sized(cube(dims, 2, 2, 1)), groups = 2, dilation = 2, stride = 3,
            bias = small(2)}},
        {{input = sized(cube(dims, 2, 1, 1)), weight = sized(cube(dims, 2, 1, 1)), dilation = 3, output_padding = 2,
            padding = 1}},
        {{input = sized(cube(dims, 3, 0, 2)), weight = w}},
        {{input = x, weight = sized(cube(dims, 2, 3, 3))},
            error = name .. ": weight must be .*2 channels of the input"},
        {{input = x, weight = w, output_padding = 1}, error = name .. ": output_padding must be below stride or"},
        {{input = x, weight = w, padding = 2}, error = name .. ": the %a+ of the result would be 0: padding %(2%)"},
        {{input = x, weight = w, bias = small(2)}, error = name .. ": bias must have 3 elements"},
        {{input = x, weight = w, groups = 3}, error = name .. ": groups must divide the 2 channels"},
        {{input = small(), weight = w}, error = name .. ": input must be"},
        {{input = x, weight = random {2, 3, dtype = "bool"}}, error = name .. ": input is %w+ and weight is bool"},
    }
end

local function rectified()
    local list = {torch = "conv_relu(input, weight, bias, stride, padding, dilation, groups)"}
    for dims = 1, 3 do
        for i, g in ipairs(geometries[dims]) do
            local args = {input = sized(g.input), weight = sized(g.weight)}
            args.bias = i % 2 == 1 and small(g.weight[1]) or nil
            list[#list + 1] = {with_options(args, g.options)}
        end
    end
    return append(list, {
        {{input = small(2, 4, 4), weight = small(3, 2, 2, 2), bias = small(3)}},
        {{input = small(0, 2, 4), weight = small(3, 2, 2)}},
        {{input = values.literal {{{1.0, 0 / 0, 2.0}}}, weight = values.literal {{{1.0}}}}, grad = false},
        {{input = small(), weight = small(1, 1, 2)}, error = "conv_relu: input must be"},
        {{input = small(2, 2, 3), weight = small(1, 2)}, error = "conv_relu: weight must be .* got 1x2"},
        {{input = small(2, 3), weight = small(1, 2, 4)}, error = "conv_relu: .*kernel"},
    })
end

return {
    conv_relu = rectified(),
    conv1d = convolutions(1),
    conv1d__named = named(1),
    conv2d = append(convolutions(2), {
        {{input = small(2, 8, 14, 14), weight = small(8, 8, 3, 3), padding = 1}, grad = false},
    }),
    conv2d__named = named(2),
    conv3d = convolutions(3),
    conv3d__named = named(3),
    conv_input_grad = input_grads(),
    conv_weight_grad = weight_grads(),
    conv_transpose1d = transposed(1),
    conv_transpose2d = transposed(2),
    conv_transpose3d = transposed(3),
    conv_tbc = {
        dtypes = "float",
        torch = "torch.conv_tbc(input, weight, bias, pad)",
        {{input = small(5, 2, 3), weight = small(2, 3, 4), bias = small(4)}, second_inputs = true},
        {{input = small(3, 1, 2), weight = small(3, 2, 1), bias = small(1), pad = 1}},
        {{input = small(3, 0, 2), weight = small(2, 2, 1), bias = small(1)}},
        {{input = small(), weight = small(2, 2, 1), bias = small(1)}, error = "conv_tbc: input must be %(t, n, c%)"},
        {{input = small(3, 1, 2), weight = small(4, 2, 1), bias = small(1)},
            error = "conv_tbc: the kernel does not fit"},
    },
}
