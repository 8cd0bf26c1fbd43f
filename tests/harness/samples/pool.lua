--- Samples of pooling.

local values = require "tests.harness.values"

local random, literal, positions = values.random, values.literal, values.positions

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function shuffled(...)
    return random {distinct = true, ints = {-100, 100}, ...}
end

local inf, nan = math.huge, 0 / 0

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

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local function merged(a, b)
    return with(with({}, a), b)
end

--- Geometries: the input's shape and the options; kernel_size has a number for each dim.
local max_options = {
    {
        {{2, 2, 6}, {kernel_size = {2}}},
        {{2, 9}, {kernel_size = {3}, stride = 2, padding = 1}},
        {{1, 1, 9}, {kernel_size = {2}, dilation = 3, stride = 1}},
        {{1, 1, 8}, {kernel_size = {3}, stride = 3, ceil_mode = true}},
    },
    {
        {{2, 2, 4, 6}, {kernel_size = {2, 2}}},
        {{1, 2, 5, 5}, {kernel_size = {3, 3}, stride = 2, padding = 1}},
        {{1, 6, 7}, {kernel_size = {2, 3}, stride = {1, 2}}},
        {{1, 1, 6, 6}, {kernel_size = {2, 2}, dilation = 2, stride = 1}},
        {{1, 1, 5, 5}, {kernel_size = {2, 2}, ceil_mode = true}},
    },
    {
        {{1, 2, 2, 4, 4}, {kernel_size = {2, 2, 2}}},
        {{1, 3, 4, 5}, {kernel_size = {3, 2, 3}, stride = {2, 1, 2}, padding = {1, 0, 1}}},
        {{1, 1, 3, 5, 4}, {kernel_size = {2, 2, 2}, dilation = {1, 2, 1}, stride = 1}},
        {{1, 1, 3, 3, 5}, {kernel_size = {2, 2, 2}, ceil_mode = true}},
    },
}

--- Samples of max pooling of images of some dims; dtypes: uint8 has too few values for shuffled ones.
local function max_pools(dims, name)
    local list = {}
    for i, o in ipairs(max_options[dims]) do
        local args = merged({input = shuffled(table.unpack(o[1]))}, o[2])
        list[i] = {args, dtypes = "signed float"}
    end
    local kernel = cube(dims, 2)
    return append(list, {
        {{input = random(cube(dims, 4, 1, 1)), kernel_size = kernel}, grad = false},
        {{input = random(cube(dims, 4, 0, 2)), kernel_size = kernel}},
        {{input = random(cube(dims, 4, 1, 1)), kernel_size = cube(dims, 5)}, error = name .. ".*: the kernel does not"},
        {{input = random(cube(dims, 4, 1, 1)), kernel_size = cube(dims, 0)}, error = name .. ".*: kernel_size must be"},
        {{input = random(cube(dims, 4, 1, 1)), kernel_size = kernel, padding = 2},
            error = name .. ".*: padding may be"},
        {{input = random(cube(dims, 4)), kernel_size = kernel}, error = name .. ".*: input must be"},
        {{input = random {}, kernel_size = kernel}, error = name .. ".*: input must be"},
    })
end

local special = {
    {{input = literal {{{nan, 1.0}, {2.0, 3.0}}}, kernel_size = {2, 2}}, dtypes = "float", grad = false},
    {{input = literal {{{-inf, -inf}, {-inf, -inf}}}, kernel_size = {2, 2}}, dtypes = "float", grad = false},
}

local pool = "kernel_size, stride, padding, dilation, ceil_mode"

local function any_max_pools()
    local list = {torch = "positions(max_pool(input, " .. pool .. "))"}
    for dims = 1, 3 do
        append(list, max_pools(dims, "max_pool"))
    end
    append(list, special)
    list[#list + 1] = {{input = random {1, 2, 2}, kernel_size = {}},
        error = "max_pool: kernel_size must have a number for"}
    return list
end

local function max_pools_named(dims)
    local list = append({dtypes = "real"}, max_pools(dims, ("max_pool%dd"):format(dims)))
    local x = shuffled(table.unpack(cube(dims, 4, 1, 2)))
    return append(list, {
        {{input = x, kernel_size = 2}, dtypes = "signed float"},
        {{input = random(cube(dims, 4, 1, 1)), kernel_size = {1, 2, 3, 4}},
            error = "max_pool.*: kernel_size must be a num"},
    })
end

local avg_options = {
    {
        {{2, 2, 6}, {2, 2, 3}, {kernel_size = {2}}},
        {{2, 7}, {2, 4}, {kernel_size = {3}, stride = 2, padding = 1, ceil_mode = true, count_include_pad = false}},
    },
    {
        {{2, 2, 4, 6}, {2, 2, 2, 3}, {kernel_size = {2, 2}}},
        {{1, 2, 5, 5}, {1, 2, 3, 3}, {kernel_size = {3, 3}, stride = 2, padding = 1}},
        {{1, 6, 7}, {1, 5, 3}, {kernel_size = {2, 3}, stride = {1, 2}}},
        {{1, 1, 5, 5}, {1, 1, 3, 3}, {kernel_size = {2, 2}, ceil_mode = true}},
        {{1, 1, 5, 5}, {1, 1, 3, 3}, {kernel_size = {3, 3}, stride = 2, padding = 1, count_include_pad = false}},
        {{1, 1, 4, 4}, {1, 1, 2, 2}, {kernel_size = {2, 2}, divisor_override = 3}},
        {{0, 2, 4, 4}, {0, 2, 2, 2}, {kernel_size = {2, 2}}},
    },
    {
        {{1, 2, 2, 4, 4}, {1, 2, 1, 2, 2}, {kernel_size = {2, 2, 2}}},
        {{1, 3, 4, 5}, {1, 2, 2, 3}, {kernel_size = {3, 2, 3}, stride = 2, padding = {1, 0, 1}}},
        {{1, 3, 5, 3}, {1, 2, 3, 2}, {kernel_size = {2, 2, 2}, ceil_mode = true, padding = {0, 1, 0},
            count_include_pad = false}},
        {{1, 1, 2, 2, 4}, {1, 1, 1, 1, 2}, {kernel_size = {2, 2, 2}, divisor_override = 5}},
    },
}

local avg = "kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override"

local function avg_pools(dims, name)
    local list = {}
    for i, o in ipairs(avg_options[dims]) do
        list[i] = {merged({input = small(table.unpack(o[1]))}, o[3])}
    end
    local x = small(table.unpack(cube(dims, 4, 1, 1)))
    append(list, {
        {{input = small(table.unpack(cube(dims, 4, 0, 1))), kernel_size = cube(dims, 2)}},
        {{input = x, kernel_size = cube(dims, 5)}, error = name .. ": the kernel does not fit"},
        {{input = x, kernel_size = cube(dims, 2), padding = 2}, error = name .. ": padding may be"},
        {{input = small(), kernel_size = cube(dims, 1)}, error = name .. ": input must be"},
    })
    if dims > 1 then
        list[#list + 1] = {{input = x, kernel_size = cube(dims, 2), divisor_override = 0},
            error = name .. ": divisor_override must not be 0"}
    end
    return list
end

local function any_avg_pools()
    local list = {torch = "avg_pool(input, " .. avg .. ")"}
    for dims = 1, 3 do
        append(list, avg_pools(dims, "avg_pool"))
    end
    return list
end

local function avg_pools_named(dims)
    local options = dims == 1 and "kernel_size, stride, padding, ceil_mode, count_include_pad" or avg
    local list = avg_pools(dims, ("avg_pool%dd"):format(dims))
    list[#list + 1] = {{input = small(table.unpack(cube(dims, 4, 1, 2))), kernel_size = 2, stride = {}}}
    return with(list, {dtypes = "float", torch = ("F.avg_pool%dd(input, %s)"):format(dims, options)})
end

local function avg_grads()
    local list = {torch = "input_gradient(lambda x: avg_pool(x, " .. avg .. "), input_size, grad)"}
    for dims = 1, 3 do
        for _, o in ipairs(avg_options[dims]) do
            list[#list + 1] = {merged({grad = small(table.unpack(o[2])), input_size = o[1]}, o[3])}
        end
    end
    return append(list, {
        {{grad = small(1, 1, 3, 3), input_size = {1, 1, 4, 4}, kernel_size = {2, 2}},
            error = "avg_pool_backward: grad must have the result's shape 1x1x2x2"},
        {{grad = small(), input_size = {1, 1, 4, 4}, kernel_size = {2, 2}}, error = "avg_pool_backward: "},
    })
end

--- What an adaptive pooling of images of some dims is given.
local adaptive_options = {
    {{{2, 2, 7}, {3}}, {{2, 8}, {4}}, {{1, 1, 3}, {5}}},
    {{{1, 2, 7, 5}, {3, 2}}, {{2, 6, 4}, {3, 4}}, {{1, 2, 3, 3}, {1, 1}}, {{1, 1, 2, 5}, {3, 5}}},
    {{{1, 2, 3, 5, 4}, {2, 3, 4}}, {{1, 2, 2, 3}, {1, 1, 1}}},
}

local function adaptive(dims, name, make)
    local list = {}
    for _, o in ipairs(adaptive_options[dims]) do
        list[#list + 1] = {{input = make(table.unpack(o[1])), output_size = o[2]}}
    end
    return append(list, {
        {{input = make(table.unpack(cube(dims, 3, 0, 2))), output_size = cube(dims, 2)}},
        {{input = make(2, 2), output_size = cube(dims, -2)}, error = name .. ": "},
        {{input = make(), output_size = cube(dims, 1)}, error = name .. ": input must be"},
    })
end

local function named_adaptive(dims, name, make)
    local list = adaptive(dims, name, make)
    return append(list, {
        {{input = make(table.unpack(cube(dims, 5, 1, 1))), output_size = 2}},
        {{input = make(table.unpack(cube(dims, 5, 1, 1))), output_size = -1}},
        {{input = make(table.unpack(cube(dims, 5, 1, 1))), output_size = -2},
            error = name .. ": output_size must be between 0 and %d+, or %-1"},
        {{input = make(table.unpack(cube(dims, 5, 1, 1))), output_size = 0}, grad = false},
        {{input = make(table.unpack(cube(dims, 5, 1, 1))), output_size = {table.unpack({0, 2, 1}, 1, dims)}},
            grad = false},
    })
end

--- Positions in windows depend on values being different, which uint8 has too few for.
local function distinct_pools(list, fields)
    for _, sample in ipairs(list) do
        sample.dtypes = not sample.error and sample[1].input.shape[1] ~= 0 and "signed float" or nil
    end
    return with(list, fields)
end

local function lp_pools(dims)
    local name = ("lp_pool%dd"):format(dims)
    local x = random {low = 0.5, high = 2, table.unpack(cube(dims, 5, 1, 2))}
    return {
        dtypes = "float",
        rtol = 1e-5,
        ulps = 2,
        torch = ("F.%s(input, norm_type, kernel_size, stride, ceil_mode)"):format(name),
        {{input = x, norm_type = 2, kernel_size = 2}},
        {{input = x, norm_type = 3, kernel_size = 3, stride = 2, ceil_mode = true}},
        {{input = x, norm_type = 1, kernel_size = dims == 1 and 2 or cube(dims, 2), stride = 1}},
        {{input = small(table.unpack(cube(dims, 4, 0, 1))), norm_type = 2, kernel_size = 2}},
        {{input = x, norm_type = 0, kernel_size = 2}, error = name .. ": norm_type must not be 0"},
        {{input = x, norm_type = 2, kernel_size = 6}, error = name .. ": the kernel does not fit"},
        {{input = small(), norm_type = 2, kernel_size = 1}, error = name .. ": input must be"},
    }
end

local unpoolings = {
    {{1, 2, 2}, {{{1, 4}, {2, 3}}}, {1, 5}},
    {{1, 1, 1, 2}, {{{{3, 6}}}}, {3, 5}},
    {{1, 1, 1, 1, 2}, {{{{{4, 11}}}}}, {2, 2, 5}},
}

local function unpools(dims)
    local name = ("max_unpool%dd"):format(dims)
    local o = unpoolings[dims]
    local function args(more)
        return merged({input = random(o[1]), indices = positions(o[2]), kernel_size = 2}, more or {})
    end
    local size = table.move(o[3], #o[3] - dims + 1, #o[3], 1, {})
    return {
        dtypes = "real",
        torch = ("F.%s(input, (indices - 1).long(), kernel_size, stride, padding, output_size)"):format(name),
        {args()},
        {args {output_size = size}},
        {{input = random(cube(dims, 2, 0, 1)), indices = values.index(4, cube(dims, 2, 0, 1)), kernel_size = 2}},
        {args {output_size = cube(dims, 9)}, error = name .. ": output_size must give a %a+ between"},
        {args {padding = 3}, error = name .. ": the %a+ of the result would be"},
        {args {input = random {1, 1, 3}}, error = name .. ": "},
        {{input = random {}, indices = positions(1), kernel_size = 2}, error = name .. ": input must be"},
    }
end

local function fractional(dims)
    local name = ("fractional_max_pool%dd"):format(dims)
    local n = dims == 3 and 5 or 6
    local shape = cube(dims, n, 1, 1)
    local samples = random {1, 1, dims, low = 0, high = 0.96875, grad = false}
    return {
        dtypes = "float",
        torch = ("F.%s(input, kernel_size, output_size, output_ratio, _random_samples=_random_samples)"):format(name),
        {{input = shuffled(table.unpack(shape)), kernel_size = 2, output_size = 3, _random_samples = samples},
            dtypes = "wide"},
        {{input = shuffled(table.unpack(shape)), kernel_size = 2, output_ratio = cube(dims, 0.6),
            _random_samples = samples},
            dtypes = "wide"},
        {{input = shuffled(table.unpack(shape)), kernel_size = n - 1, output_size = 1}},
        {{input = random(cube(dims, 3, 0, 1)), kernel_size = 2, output_size = 1}, grad = false},
        {{input = random(shape), kernel_size = 2}, error = name .. ".*: either output_size or output_ratio must be"},
        {{input = random(shape), kernel_size = 2, output_ratio = 1.5},
            error = name .. ".*: output_ratio must be between"},
        {{input = random(shape), kernel_size = 4, output_size = 4},
            error = name .. ".*: 4 windows of 4 do not fit into a"},
        {{input = random(shape), kernel_size = 2, output_size = {1, 2, 3, 4}},
            error = name .. ".*: output_size must have"},
        {{input = random {}, kernel_size = 1, output_size = 1}, error = name .. ".*: input must be"},
    }
end

local entries = {
    max_pool = any_max_pools(),
    max_pool_backward = {
        torch = "unpool(grad, indices, input_size, dims)",
        {{grad = random {1, 2, 2}, indices = positions {{{1, 6}, {11, 16}}}, input_size = {1, 4, 4}, dims = 2}},
        {{grad = random {2, 1, 2}, indices = positions {{{4, 4}}, {{1, 2}}}, input_size = {2, 2, 2}, dims = 2}},
        {{grad = random {2, 1, 2}, indices = positions {{{4, 4}}, {{1, 2}}}, input_size = {2, 1, 4}, dims = 1}},
        {{grad = random {1, 1, 1, 2}, indices = positions {{{{3, 8}}}}, input_size = {1, 2, 2, 2}, dims = 3}},
        {{grad = random {0, 1, 2, 2}, indices = values.index(4, {0, 1, 2, 2}), input_size = {0, 1, 4, 4}, dims = 2}},
        {{grad = random {1, 1, 1}, indices = positions {{{5}}}, input_size = {1, 2, 2}, dims = 2}, error = "5"},
        {{grad = random {1, 1, 1}, indices = positions {{{0}}}, input_size = {1, 2, 2}, dims = 2}, error = "0"},
        {{grad = random {1, 1, 1}, indices = positions {{{1}}}, input_size = {1, 2, 2}, dims = 4},
            error = "max_pool_backward: dims must be between 1 and 3, got 4"},
        {{grad = random {}, indices = positions(1), input_size = {1, 2, 2}, dims = 2}, error = "max_pool_backward: "},
    },
    adaptive_max_pool = distinct_pools(
        append(adaptive(1, "adaptive_max_pool", shuffled), append(adaptive(2, "adaptive_max_pool", shuffled),
            adaptive(3, "adaptive_max_pool", shuffled))),
        {torch = "positions(adaptive_max_pool(input, output_size))"}),
    fractional_max_pool = {
        torch = "positions(fractional_max_pool(input, kernel_size, output_size, samples))",
        {{input = shuffled(2, 2, 6, 7), kernel_size = {2, 3}, output_size = {3, 3},
            samples = random {2, 2, 2, low = 0, high = 0.96875, grad = false}}, dtypes = "wide"},
        {{input = shuffled(1, 2, 4, 4, 5), kernel_size = {2, 1, 2}, output_size = {2, 3, 3},
            samples = random {1, 2, 3, low = 0, high = 0.96875, grad = false}}, dtypes = "wide"},
        {{input = shuffled(1, 1, 4, 4), kernel_size = {2, 2}, output_size = {2, 2},
            samples = literal({{{0, 0}}}, {dtype = "float32", grad = false})}, dtypes = "signed float"},
        {{input = random {1, 1, 4, 4}, kernel_size = {4, 4}, output_size = {1, 1},
            samples = literal({{{0, 0}}}, {dtype = "float32", grad = false})}, grad = false},
        {{input = random {0, 1, 4, 4}, kernel_size = {2, 2}, output_size = {2, 2},
            samples = random {0, 1, 2, dtype = "float32", grad = false}}, grad = false},
        {{input = random {1, 1, 4, 4}, kernel_size = {2, 2}, output_size = {2, 2},
            samples = random {1, 2, 2, dtype = "float32"}},
            error = "fractional_max_pool: samples must be numbers of the shape 1x1x2"},
        {{input = random {1, 1, 4, 4}, kernel_size = {2, 2}, output_size = {4, 2},
            samples = random {1, 1, 2, dtype = "float32"}},
            error = "fractional_max_pool: 4 windows of 2 do not fit into a height of 4"},
        {{input = random {}, kernel_size = {2, 2}, output_size = {2, 2}, samples = random {1, 1, 2, dtype = "float32"}},
            error = "fractional_max_pool: input must be"},
    },
    avg_pool = any_avg_pools(),
    avg_pool_backward = avg_grads(),
}

for dims = 1, 3 do
    local name = ("max_pool%dd"):format(dims)
    entries[name .. "_with_indices"] = with(max_pools_named(dims), {
        torch = ("positions(F.%s(input, %s, return_indices=True))"):format(name, pool),
    })
    entries[name] = with(max_pools_named(dims), {torch = ("F.%s(input, %s)"):format(name, pool)})
    table.insert(entries[name], {
        {input = shuffled(table.unpack(cube(dims, 4, 1, 2))), kernel_size = 2, return_indices = true},
        torch = ("positions(F.%s(input, %s, return_indices=True))"):format(name, pool), dtypes = "signed float",
    })
    entries[("avg_pool%dd"):format(dims)] = avg_pools_named(dims)
    entries[("lp_pool%dd"):format(dims)] = lp_pools(dims)
    entries[("max_unpool%dd"):format(dims)] = unpools(dims)
    local average, largest = ("adaptive_avg_pool%dd"):format(dims), ("adaptive_max_pool%dd"):format(dims)
    entries[average] = with(named_adaptive(dims, average, small), {
        dtypes = "float complex", rtol = 4e-6, torch = ("adapted(F.%s, input, output_size)"):format(average),
    })
    for _, sample in ipairs(entries[average]) do
        -- Of complex numbers PyTorch has the mean of a whole image alone.
        sample.dtypes = "float"
    end
    table.insert(entries[average], {{input = small(table.unpack(cube(dims, 5, 2, 1))), output_size = 1}})
    local indices = ("positions(adapted(F.%s, input, output_size, return_indices=True))"):format(largest)
    entries[largest .. "_with_indices"] = distinct_pools(named_adaptive(dims, largest .. "_with_indices", shuffled),
        {dtypes = "real", torch = indices})
    entries[largest] = distinct_pools(named_adaptive(dims, largest, shuffled),
        {dtypes = "real", torch = ("adapted(F.%s, input, output_size)"):format(largest)})
    table.insert(entries[largest], {
        {input = shuffled(table.unpack(cube(dims, 4, 1, 2))), output_size = 3, return_indices = true}, torch = indices,
        dtypes = "signed float",
    })
    if dims > 1 then
        local chance = ("fractional_max_pool%dd"):format(dims)
        entries[chance] = fractional(dims)
        local torch = ("positions(F.%s_with_indices(input, kernel_size, output_size, output_ratio, " ..
            "_random_samples=_random_samples))"):format(chance)
        entries[chance .. "_with_indices"] = with(fractional(dims), {torch = torch})
    end
end

return entries
