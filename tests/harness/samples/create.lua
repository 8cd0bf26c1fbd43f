--- Samples of the operators that make tensors.

local values = require "tests.harness.values"

local random = values.random

local function with(entry, list)
    for _, sample in ipairs(list) do
        entry[#entry + 1] = sample
    end
    return entry
end

--- Samples of what takes sizes and options.
local function sized(torch)
    return {
        torch = torch,
        {{size = {2, 3}}},
        {{size = {}}, covers = "scalar"},
        {{size = {0}}, covers = "empty"},
        {{size = {2, 0, 3}}},
        {{size = {67}}},
        {{size = {2, 1, 2, 1, 2, 1, 2, 1}}, dtypes = "any"},
        {{size = {2, 3}}, plain = true, dtypes = "float32"},
        {{size = {2, -1}}, error = "size.*%-1"},
        {{size = {1, 1, 1, 1, 1, 1, 1, 1, 1}}, error = "9 dims, at most 8"},
        {{size = {1 << 40, 1 << 40}}, error = "more elements than memory", dtypes = "float32"},
        {{size = {1 << 62}}, error = "more elements than memory", dtypes = "float64"},
    }
end

--- Samples of the _like forms: they take over shape and dtype.
local function like(torch, arguments)
    local list = {dtypes = "all", torch = torch, no_grad = true}
    for _, shape in ipairs {{2, 3}, {}, {0, 2}, {67}} do
        local args = {input = random(shape)}
        for name, value in pairs(arguments or {}) do
            args[name] = value
        end
        list[#list + 1] = {args}
    end
    local args = {input = random {2, 3}, dtype = "float64"}
    for name, value in pairs(arguments or {}) do
        args[name] = value
    end
    list[#list + 1] = {args}
    return list
end

local function random_like(arguments)
    local list = like(nil, arguments)
    list.dtypes = arguments and "real" or "float complex"
    list.reference = false
    return list
end

local span = "span(first, last, step, dtype, %s)"

return {
    zeros = sized("torch.zeros(size, dtype=dtype)"),
    ones = sized("torch.ones(size, dtype=dtype)"),
    empty = with({reference = false}, sized()),
    full = {
        torch = "torch.full(size, fill_value, dtype=dtype)",
        {{size = {2, 3}, fill_value = 1}},
        {{size = {}, fill_value = 1}, covers = "scalar"},
        {{size = {0}, fill_value = 1}, covers = "empty"},
        {{size = {67}, fill_value = 0.5}, dtypes = "float"},
        {{size = {2}, fill_value = 3}, plain = true, dtypes = "int64"},
        {{size = {2}, fill_value = 3.0}, plain = true, dtypes = "float32"},
        {{size = {2}, fill_value = -math.huge}, dtypes = "float"},
        {{size = {2}, fill_value = values.complex(0.5, -2)}, dtypes = "complex"},
        {{size = {2}, fill_value = values.complex(0.5, -2)}, plain = true, dtypes = "complex64"},
        {{size = {2}, fill_value = values.complex(0.5, -2)}, dtypes = "float32", error = "full: fill_value is complex"},
        {{size = {2}, fill_value = 300}, dtypes = "uint8 int8", error = "full: .*300"},
        {{size = {2}, fill_value = 2.5}, dtypes = "int", error = "full: .*2.5"},
        {{size = {2, -1}, fill_value = 1}, error = "size.*%-1"},
    },
    arange = {
        torch = "span(1, last, 1, dtype, isinstance(last, int))",
        {{last = 5}},
        {{last = 0}, covers = "empty"},
        {{last = 1}, covers = "scalar"},
        {{last = 4.5}, dtypes = "float"},
        {{last = 5}, plain = true, dtypes = "int64"},
        {{last = 5.0}, plain = true, dtypes = "float32"},
        {{last = 100}},
        {{last = 0 / 0}, dtypes = "float32", error = "arange: .*nan"},
        {{last = 1e30}, dtypes = "float32", error = "arange: "},
    },
    arange__range = {
        torch = span:format("isinstance(first, int) and isinstance(last, int) and isinstance(step, int)"),
        {{first = 2, last = 10, step = 3}},
        {{first = 2, last = 9}},
        {{first = 5, last = 1, step = -2}},
        {{first = 3, last = 1}, covers = "empty"},
        {{first = 3, last = 3}, covers = "scalar"},
        {{first = 0, last = 1, step = 0.25}, dtypes = "float"},
        {{first = 0, last = 1, step = 0.1}, dtypes = "wide"},
        {{first = 1, last = 5}, plain = true, dtypes = "int64"},
        {{first = 1, last = 5.5}, plain = true, dtypes = "float32"},
        {{first = 1, last = 5, step = 0}, error = "arange: .*step.*0"},
        {{first = 0, last = math.huge}, dtypes = "float32", error = "arange: "},
    },
    linspace = {
        torch = "torch.linspace(first, last, steps, dtype=dtype)",
        {{first = 0, last = 1, steps = 5}, dtypes = "float complex"},
        {{first = values.complex(1, -1), last = values.complex(-2, 5), steps = 7}, dtypes = "complex"},
        {{first = 1, last = values.complex(0, 2), steps = 3}, plain = true, dtypes = "complex64"},
        {{first = 1, last = values.complex(0, 2), steps = 3}, dtypes = "float32", error = "linspace: last is complex"},
        {{first = 0, last = 12, steps = 5}},
        {{first = 3, last = -2, steps = 6}, dtypes = "signed float"},
        {{first = 2, last = 5, steps = 1}, covers = "scalar"},
        {{first = 2, last = 5, steps = 0}, covers = "empty"},
        {{first = -1, last = 1, steps = 67}, dtypes = "wide"},
        {{first = 0, last = 1, steps = 3}, plain = true, dtypes = "float32"},
        {{first = 0, last = 1, steps = -1}, error = "linspace: steps.*%-1"},
    },
    eye = {
        torch = "torch.eye(n, m if m is not None else n, dtype=dtype)",
        {{n = 3}},
        {{n = 2, m = 4}},
        {{n = 4, m = 2}},
        {{n = 0}, covers = "empty"},
        {{n = 1}, covers = "scalar"},
        {{n = 2, m = 0}},
        {{n = 2}, plain = true, dtypes = "float32"},
        {{n = -1}, error = "eye: .*%-1"},
    },
    rand = with({reference = false}, sized()),
    randn = with({reference = false}, sized()),
    randint = {
        reference = false,
        {{high = 9, size = {2, 3}}},
        {{high = 9, size = {}}, covers = "scalar"},
        {{high = 9, size = {0}}, covers = "empty"},
        {{high = 0, size = {2}}, error = "randint: "},
    },
    randint__range = {
        reference = false,
        {{low = 2, high = 9, size = {2, 3}}},
        {{low = 2, high = 9, size = {}}, covers = "scalar"},
        {{low = 2, high = 9, size = {0}}, covers = "empty"},
        {{low = 4, high = 3, size = {2}}, error = "randint: "},
        {{low = 0, high = 1000, size = {2}}, dtypes = "int8 uint8", error = "randint: "},
    },
    randperm = {
        reference = false,
        {{n = 10}},
        {{n = 0}, covers = "empty"},
        {{n = 1}, covers = "scalar"},
        {{n = -1}, error = "randperm: .*%-1"},
        {{n = 1000}, dtypes = "int8 uint8", error = "randperm: "},
    },
    uniform = {
        reference = false,
        {{input = random {2, 3}}},
        {{input = random {}, from = 2, to = 3}},
        {{input = random {0}}},
        {{input = random {2, 3}, from = 3, to = 2}, error = "uniform: "},
    },
    -- With both numbers: normal of one or two arguments takes the first for the means.
    normal = {
        reference = false,
        {{input = random {2, 3}, mean = 0, std = 1}},
        {{input = random {}, mean = 5, std = 0.5}},
        {{input = random {0}, mean = 0, std = 1}},
        {{input = random {2, 3}, mean = 0, std = -1}, error = "normal: .*std.*%-1"},
    },
    dropout_mask = {
        reference = false,
        {{input = random {2, 3}}},
        {{input = random {}, p = 0.25}},
        {{input = random {0}}},
        {{input = random {2, 3}, p = 1.5}, error = "p must be .*1%.5"},
    },
    dropout = {
        dtypes = "float complex",
        torch = "F.dropout(input, p, training)",
        {{input = random {2, 3}, p = 0.5, training = false}},
        {{input = random {}, p = 0.0}},
        {{input = random {0}, p = 0.25, training = true}},
        {{input = random {2, 3}, p = 1.0}},
        {{input = random {2, 3}, p = -0.5}, error = "p must be .*%-0%.5"},
    },
    zeros_like = like("torch.zeros_like(input, dtype=dtype)"),
    ones_like = like("torch.ones_like(input, dtype=dtype)"),
    empty_like = with({reference = false, dtypes = "all", no_grad = true}, like()),
    full_like = with(like("torch.full_like(input, fill_value, dtype=dtype)", {fill_value = 1}), {
        {{input = random {2, 3}, fill_value = values.complex(0.5, -2)}, dtypes = "complex"},
    }),
    rand_like = random_like(),
    randn_like = random_like(),
    randint_like = random_like({low = 2, high = 9}),
}
