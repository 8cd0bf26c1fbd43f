--- Samples of regular patterns, and of tensors like others.

local values = require "tests.harness.values"

local random, literal, index, positions = values.random, values.literal, values.index, values.positions

local function window(torch, options)
    local entry = {torch = torch:format("window_length", "periodic")}
    for i, args in ipairs {{7}, {8, false}, {1}, {2}, {2, false}, {0}, {67}} do
        local given = {window_length = args[1], periodic = args[2]}
        entry[i] = {given, dtypes = i == 7 and "wide" or nil, covers = ({[3] = "scalar", [6] = "empty"})[i]}
    end
    for _, sample in ipairs(options or {}) do
        entry[#entry + 1] = sample
    end
    entry[#entry + 1] = {{window_length = 5}, plain = true, dtypes = "float32"}
    entry[#entry + 1] = {{window_length = -1}, error = "window: window_length must not be negative, got %-1"}
    return entry
end

local function triangle(name)
    local torch = ("(torch.%s(row, col, offset) + 1).to(dtype)"):format(name)
    return {
        torch = torch,
        {{row = 3, col = 3}},
        {{row = 2, col = 4, offset = 1}},
        {{row = 4, col = 2, offset = -1}},
        {{row = 3, col = 3, offset = -9}},
        {{row = 3, col = 3, offset = 9}},
        {{row = 0, col = 3}, covers = "empty"},
        {{row = 1, col = 1}, covers = "scalar"},
        {{row = 2, col = 2}, plain = true, dtypes = "int64",
            torch = ("torch.%s(row, col, offset) + 1"):format(name)},
        {{row = -1, col = 3}, error = name .. ": row and col must not be negative, got %-1 and 3"},
        {{row = 1 << 40, col = 1 << 40}, error = name .. ": the result would have more elements"},
        {{row = 1000, col = 2}, dtypes = "int8 uint8", error = name .. ": row must be in"},
    }
end

local function new(torch, ...)
    return {
        torch = torch, dtypes = "all", no_grad = true,
        {{input = random {3}, size = {2, 3}}},
        {{input = random {}, size = {}}},
        {{input = random {0}, size = {0, 2}}},
        {{input = random {2}, size = {2}, dtype = "float64"}},
        {{input = random {2}, size = {-2}}, error = "new_%a+: sizes must not be negative"},
        ...
    }
end

local function full(samples)
    for _, sample in ipairs(samples) do
        sample[1].fill_value = 1
    end
    return samples
end

return {
    logspace = {
        torch = "torch.logspace(first, last, steps, base, dtype=dtype)", ulps = 3,
        {{first = 0, last = 2, steps = 3}, dtypes = "float"},
        {{first = 0, last = 3, steps = 4, base = 2.0}},
        {{first = values.complex(0, -1), last = values.complex(2, 1), steps = 5}, dtypes = "complex", rtol = 1e-6,
            rtol64 = 1e-13},
        {{first = values.complex(0, -1), last = 1, steps = 2}, dtypes = "wide", error = "logspace: first is complex"},
        {{first = 3, last = -1, steps = 6}, dtypes = "wide", rtol = 1e-6, rtol64 = 1e-13},
        {{first = 1, last = 2, steps = 1}, covers = "scalar"},
        {{first = 1, last = 2, steps = 0}, covers = "empty"},
        {{first = 0, last = 1, steps = 2}, plain = true, dtypes = "float32"},
        {{first = 0, last = 1, steps = -1}, error = "logspace: steps must not be negative"},
    },
    tril_indices = triangle "tril_indices",
    triu_indices = triangle "triu_indices",
    hann_window = window "torch.hann_window(%s, %s, dtype=torch.float64).to(dtype or torch.float32)",
    blackman_window = window "torch.blackman_window(%s, %s, dtype=torch.float64).to(dtype or torch.float32)",
    bartlett_window = window "torch.bartlett_window(%s, %s, dtype=torch.float64).to(dtype or torch.float32)",
    hamming_window = window("torch.hamming_window(%s, %s, alpha, beta, dtype=torch.float64)" ..
        ".to(dtype or torch.float32)", {
        {{window_length = 5, alpha = 0.5, beta = 0.25}},
        {{window_length = 5, alpha = 1 / 0}, error = "hamming_window: alpha must be finite, got inf"},
    }),
    kaiser_window = window("torch.kaiser_window(%s, %s, beta, dtype=torch.float64).to(dtype or torch.float32)", {
        {{window_length = 5, beta = 0.0}},
        {{window_length = 9, beta = 60.0}},
        {{window_length = 5, beta = 0 / 0}, error = "kaiser_window: beta must be finite"},
    }),
    combination_positions = {
        torch = "torch.combinations(torch.arange(n), r, with_replacement).to(dtype) + 1",
        {{n = 4}},
        {{n = 5, r = 3}},
        {{n = 3, r = 2, with_replacement = true}},
        {{n = 3, r = 4, with_replacement = true}},
        {{n = 3, r = 1}},
        {{n = 2, r = 3}, covers = "empty"},
        {{n = 1, r = 1}, covers = "scalar"},
        {{n = 3}, plain = true, dtypes = "int64",
            torch = "torch.combinations(torch.arange(n), r, with_replacement) + 1"},
        {{n = 1000, r = 30}, error = "combination_positions: the result would have more elements"},
        {{n = 5, r = -1}, error = "combination_positions: n must not be negative and r in"},
        {{n = 300, r = 1}, dtypes = "int8 uint8", error = "combination_positions: n must be in"},
    },
    combinations = {
        torch = "torch.combinations(input, r, with_replacement)",
        dtypes = "all",
        {{input = random {4}}},
        {{input = random {4}, r = 3}},
        {{input = random {3}, r = 2, with_replacement = true}},
        {{input = random {3}, r = 0}},
        {{input = random {0}}},
        {{input = random {}}, error = "combinations: input must be a vector, got shape scalar", covers = "scalar"},
    },
    cartesian_prod = {
        torch = "torch.cartesian_prod(*tensors)",
        dtypes = "all",
        {{tensors = {random {2}, random {3}}}},
        {{tensors = {random {2}, random {1}, random {3}}}},
        {{tensors = {random {4}}}},
        {{tensors = {random {2}, random {0}}}},
        {{tensors = {random {2}, random {}}}, error = "cartesian_prod: tensors must be vectors, tensor 2 has shape",
            covers = "scalar"},
        {{tensors = {}}, error = "cartesian_prod: tensors must hold"},
    },
    one_hot = {
        torch = "F.one_hot(input.long() - 1, num_classes)",
        dtypes = "int",
        {{input = literal {1, 3, 2}}},
        {{input = literal {{1, 3}, {2, 2}}, num_classes = 4}},
        {{input = literal(2), num_classes = 3}},
        {{input = index(1, {0, 2}), num_classes = 3}},
        {{input = positions {1, 5}, num_classes = 4}, error = "one_hot: .*in %[1, 4%], got 5 at position 2"},
        {{input = positions {{1, 0}}}, error = "one_hot: .*got 0 at position {1, 2}"},
        {{input = positions({}, {shape = {0}})}, error = "one_hot: num_classes must be"},
        {{input = positions {1}, num_classes = 0}, error = "one_hot: num_classes must be"},
    },
    empty_strided = {
        reference = false, dtypes = "all",
        {{size = {2, 3}, stride = {1, 2}}},
        {{size = {2, 3}, stride = {9, 2}}},
        {{size = {}, stride = {}}, covers = "scalar"},
        {{size = {0, 3}, stride = {1, 1}}, covers = "empty"},
        {{size = {2}, stride = {1, 2}}, error = "empty_strided: size and stride must have as many"},
        {{size = {2}, stride = {-1}}, error = "empty_strided: .*none negative"},
        {{size = {1 << 30, 1 << 30}, stride = {1 << 40, 1 << 40}}, error = "empty_strided: "},
    },
    empty_permuted = {
        reference = false, dtypes = "all",
        {{size = {2, 3, 4}, physical_layout = {2, 3, 1}}},
        {{size = {}, physical_layout = {}}, covers = "scalar"},
        {{size = {0, 3}, physical_layout = {2, 1}}, covers = "empty"},
        {{size = {2, 3}, physical_layout = {1, 1}}, error = "empty_permuted: physical_layout must name each"},
        {{size = {2, 3}, physical_layout = {0, 1}}, error = "empty_permuted: physical_layout must name each"},
        {{size = {2, 3}, physical_layout = {math.mininteger, 1}},
            error = "empty_permuted: physical_layout must name each"},
    },
    scalar_tensor = {
        torch = "torch.scalar_tensor(value, dtype=dtype)", dtypes = "all",
        {{value = 3}, covers = "scalar"},
        {{value = 0}, covers = "empty"},
        {{value = 2.5}, dtypes = "float"},
        {{value = values.complex(0.5, -2)}, dtypes = "complex"},
        {{value = 3}, plain = true, dtypes = "float32"},
        {{value = 300}, dtypes = "uint8", error = "scalar_tensor: fill_value must be in"},
    },
    new_empty = (function()
        local entry = new()
        for i = #entry, 1, -1 do
            local same = not entry[i].error and #entry[i][1].size == #entry[i][1].input.shape and i == 2
            if not same and not entry[i].error then
                table.remove(entry, i)
            end
        end
        entry.reference = false
        table.insert(entry, {{input = random {2, 3}, size = {2, 3}}})
        table.insert(entry, {{input = random {0}, size = {0}}})
        return entry
    end)(),
    new_zeros = new "torch.zeros(size, dtype=dtype or input.dtype)",
    new_ones = new "torch.ones(size, dtype=dtype or input.dtype)",
    new_full = full(new "torch.full(size, fill_value, dtype=dtype or input.dtype)"),
    new_empty_strided = {
        reference = false, dtypes = "all", no_grad = true,
        {{input = random {2, 3}, size = {2, 3}, stride = {1, 2}}},
        {{input = random {}, size = {}, stride = {}}},
        {{input = random {0}, size = {0}, stride = {1}}},
        {{input = random {2}, size = {2}, stride = {}}, error = "new_empty_strided: size and stride must have"},
    },
}
