--- Samples of the norms.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local nan, inf = 0 / 0, math.huge

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function positive(...)
    return random {low = 0.25, high = 2, ...}
end

--- A copy of a list of samples for half types alone, whose statistics are float32.
local function halves(list)
    local copy = {}
    for i, sample in ipairs(list) do
        copy[i] = {sample[1], dtypes = "float16 bfloat16", grad = false}
    end
    return copy
end

local function wide(list)
    local copy = {}
    for i, sample in ipairs(list) do
        copy[i] = {sample[1], dtypes = "wide", second = sample.second}
    end
    return copy
end

local function join(...)
    local all = {}
    for _, list in ipairs {...} do
        table.move(list, 1, #list, #all + 1, all)
    end
    return all
end

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local standardized = {
    {{input = small(2, 2, 3, 2), weight = small(6), bias = small(6)}},
    {{input = small(3, 1, 5, 1), weight = small(5), bias = small(5), eps = 0.01}},
    {{input = small(3, 1, 5, 1), center = false, weight = small(5)}},
    {{input = small(2, 3, 4, 1), weight = small(12)}},
    {{input = small(4, 3, 1, 2), weight = small(3), bias = small(3), over_batch = true}},
    {{input = small(5, 3, 1, 1), bias = small(3), over_batch = true}},
    {{input = small(2, 2, 2, 2)}},
    {{input = small(2, 1, 70, 1)}, second = false},
    {{input = small(0, 2, 3, 1), weight = small(6)}},
}

local backwards = {
    {{grad = small(2, 2, 3, 2), input = small(2, 2, 3, 2), weight = small(6), mean = small(2, 2),
        rstd = positive(2, 2)}},
    {{grad = small(3, 1, 5, 1), input = small(3, 1, 5, 1), weight = small(5), mean = small(3, 1),
        rstd = positive(3, 1)}},
    {{grad = small(3, 1, 5, 1), input = small(3, 1, 5, 1), mean = small(3, 1), rstd = positive(3, 1), center = false}},
    {{grad = small(2, 3, 2, 1), input = small(2, 3, 2, 1), weight = small(6), mean = small(2, 3),
        rstd = positive(2, 3)}},
    {{grad = small(4, 3, 1, 2), input = small(4, 3, 1, 2), weight = small(3), mean = small(3), rstd = positive(3),
        over_batch = true}},
    {{grad = small(5, 3, 1, 1), input = small(5, 3, 1, 1), mean = small(3), rstd = positive(3), over_batch = true}},
    {{grad = small(0, 2, 3, 1), input = small(0, 2, 3, 1), mean = small(0, 2), rstd = positive(0, 2)}},
}

local function half_statistics(list)
    for _, sample in ipairs(list) do
        local args = {}
        for name, value in pairs(sample[1]) do
            args[name] = (name == "mean" or name == "rstd") and
                random(with({table.unpack(value.shape)}, {low = value.low, high = value.high,
                    dtype = "float32"})) or value
        end
        sample[1] = args
    end
    return list
end

local over_last = {
    {{input = small(4, 6), normalized_shape = {6}}},
    {{input = small(4, 6), normalized_shape = {6}, weight = small(6)}},
    {{input = small(2, 3, 4), normalized_shape = {3, 4}, weight = small(3, 4), eps = 0.01}},
    {{input = small(2, 3, 70), normalized_shape = {70}}, second = false},
    {{input = small(5), normalized_shape = {5}}},
    {{input = small(0, 5), normalized_shape = {5}, weight = small(5)}},
    {{input = literal {{1.0, nan, 3.0}, {1.0, 2.0, 4.0}}, normalized_shape = {3}}, dtypes = "float", grad = false},
    {{input = small(2, 3), normalized_shape = {2}}, error = "normalized_shape .* shape 2x3, normalized_shape is 2$"},
    {{input = small(2, 3), normalized_shape = {3}, weight = small(2)}, error = "weight must have shape 3, got 2$"},
    {{input = small(), normalized_shape = {}}, error = "normalized_shape must be the sizes"},
}

--- rms_norm's eps depends on the dtype unless it is given.
local function with_eps(list)
    local copy = {}
    for i, sample in ipairs(list) do
        local args = {eps = 0.001}
        for name, value in pairs(sample[1]) do
            args[name] = value
        end
        copy[i] = with({args}, {error = sample.error, grad = sample.grad, second = sample.second})
    end
    return copy
end

local function running_mean()
    return random {3, low = -2, high = 2, grad = false}
end

local function running_var()
    return random {3, low = 0.25, high = 2, grad = false}
end

local running = "running_mean, running_var, weight, bias, "

return {
    standardize = with(join(wide(standardized), halves(standardized), {
        {{input = small(2, 3)}, error = "input must be %(N, G, K, S%), got shape 2x3$"},
        {{input = small()}, error = "input must be %(N, G, K, S%), got shape scalar$"},
        {{input = small(2, 2, 2, 2), over_batch = true}, error = "with K 1 over the batch, got shape"},
        {{input = small(2, 2, 2, 2), weight = small(2)}, error = "weight must have shape 4, got 2$"},
    }), {torch = "standardize(input, weight, bias, eps, over_batch, center)", rtol = 4e-6}),
    standardize_backward = with(join(wide(backwards), half_statistics(halves(backwards)), {
        {{grad = small(2, 2, 2, 2), input = small(2, 2, 2, 2), mean = small(2), rstd = small(2, 2)}, dtypes = "wide",
            error = "mean must have shape 2x2, got 2$"},
        {{grad = small(), input = small(2, 2, 2, 2), mean = small(2, 2), rstd = small(2, 2)},
            error = "grad must have shape 2x2x2x2, got scalar$"},
    }), {torch = "standardize_backward(grad, input, weight, mean, rstd, over_batch, center)", rtol = 4e-6}),
    layer_norm = with(join(over_last, {
        {{input = small(4, 6), normalized_shape = {6}, weight = small(6), bias = small(6)}},
        {{input = small(4, 6), normalized_shape = {6}, bias = small(6)}},
    }), {torch = "F.layer_norm(input, normalized_shape, weight, bias, eps)", dtypes = "float", rtol = 4e-6}),
    rms_norm = with(join(with_eps(over_last), {
        {{input = small(4, 6), normalized_shape = {6}}, dtypes = "float64"},
    }), {torch = "F.rms_norm(input, normalized_shape, weight, eps)", dtypes = "float", rtol = 4e-6}),
    group_norm = {
        torch = "F.group_norm(input, num_groups, weight, bias, eps)",
        dtypes = "float",
        rtol = 4e-6,
        {{input = small(2, 6, 3), num_groups = 3, weight = small(6), bias = small(6)}},
        {{input = small(2, 6), num_groups = 2, weight = small(6)}},
        {{input = small(2, 4, 3, 2), num_groups = 1}},
        {{input = small(0, 4, 3), num_groups = 2}},
        {{input = small(2, 5), num_groups = 2}, error = "num_groups must divide the 5 channels, got 2$"},
        {{input = small(2, 5), num_groups = 0}, error = "num_groups must divide the 5 channels, got 0$"},
        {{input = small(), num_groups = 1},
            error = "input must be %(N, C, %*%) with at least 2 dims, got shape scalar$"},
    },
    batch_norm = {
        torch = "F.batch_norm(input, " .. running .. "training, momentum, eps), running_var",
        dtypes = "float",
        rtol = 4e-6,
        {{input = small(3, 4, 2), weight = small(4), bias = small(4), training = true},
            torch = "F.batch_norm(input, " .. running .. "training, momentum, eps)"},
        {{input = small(5, 3), training = true},
            torch = "F.batch_norm(input, " .. running .. "training, momentum, eps)"},
        {{input = small(2, 3, 2, 2), running_mean = running_mean(), running_var = running_var(), training = true,
            momentum = 0.25}, differences = false},
        {{input = small(2, 3, 2), running_mean = running_mean(), running_var = running_var(), weight = small(3),
            bias = small(3)}},
        {{input = small(0, 3), running_mean = running_mean(), running_var = running_var()}},
        {{input = small(2, 3)}, error = "running_mean and running_var are needed"},
        {{input = small(2, 3), running_mean = small(3)}, error = "must be given together$"},
        {{input = small(1, 3), training = true}, error = "more than one element, got shape 1x3$"},
        {{input = small(2, 3), weight = small(2), training = true}, error = "weight must have shape 3, got 2$"},
        {{input = small(), training = true}, error = "at least 2 dims, got shape scalar$"},
    },
    instance_norm = {
        torch = "F.instance_norm(input, " .. running .. "use_input_stats, momentum, eps)",
        dtypes = "float",
        rtol = 4e-6,
        {{input = small(2, 3, 5), weight = small(3), bias = small(3)}},
        {{input = small(2, 3, 2, 2)}},
        {{input = small(2, 3, 5), running_mean = running_mean(), running_var = running_var(), momentum = 0.25},
            differences = false,
            torch = "F.instance_norm(input, " .. running .. "use_input_stats, momentum, eps), running_var"},
        {{input = small(2, 3, 5), running_mean = running_mean(), running_var = running_var(), use_input_stats = false},
            torch = "F.instance_norm(input, " .. running .. "use_input_stats, momentum, eps), running_var"},
        {{input = small(0, 3, 5)}, torch = "input"},
        {{input = small(2, 3, 1)}, error = "more than one element, got shape 2x3x1$"},
        {{input = small(2, 3, 2), use_input_stats = false}, error = "running_mean and running_var are needed"},
        {{input = small()}, error = "at least 3 dims, got shape scalar$"},
    },
    local_response_norm = {
        torch = "F.local_response_norm(input, size, alpha, beta, k)",
        dtypes = "float",
        {{input = small(2, 5, 3), size = 3, alpha = 0.5}},
        {{input = small(2, 5, 3, 2), size = 2, alpha = 0.5, beta = 0.5, k = 2}},
        {{input = small(1, 2, 3), size = 9, alpha = 2}, torch = "wide_response_norm(input, size, alpha, beta, k)"},
        {{input = small(0, 2, 3), size = 2}},
        {{input = small(1, 2, 3), size = 0}, error = "size must be at least 1, got 0$"},
        {{input = small(), size = 1}, error = "at least 3 dims, got shape scalar$"},
    },
    normalize = {
        torch = "F.normalize(input, p, dim, eps)",
        dtypes = "float complex",
        {{input = small(3, 4)}},
        {{input = small(3, 4), p = 1, dim = 1}},
        {{input = small(3, 4), p = 3, dim = -1}},
        {{input = small(3, 4), p = inf}, differences = false},
        {{input = literal {{0.0, 0.0}, {3.0, 4.0}}}, grad = false},
        {{input = small(0, 3)}},
        {{input = small(), dim = 1}, grad = false},
        {{input = small(3)}, error = "dim must be an integer in %[%-1, 1%] %(1 dim%), got 2$"},
    },
    cosine_similarity = {
        torch = "F.cosine_similarity(x1, x2, dim, eps)",
        dtypes = "float",
        {{x1 = small(3, 4), x2 = small(3, 4)}},
        {{x1 = small(3, 4), x2 = small(4), dim = -1}},
        {{x1 = small(2, 3, 4), x2 = small(2, 3, 4), dim = 1}},
        {{x1 = small(0, 4), x2 = small(0, 4)}},
        {{x1 = literal {{0.0, 0.0}}, x2 = literal {{1.0, 2.0}}}, grad = false},
        {{x1 = small(), x2 = small(), dim = 1}, grad = false},
        {{x1 = small(2, 3), x2 = small(2, 4)}, error = "x1 and x2 must broadcast, got shapes 2x3 and 2x4$"},
    },
    pairwise_distance = {
        torch = "F.pairwise_distance(x1, x2, p, eps, keepdim)",
        dtypes = "float complex",
        {{x1 = small(3, 4), x2 = small(3, 4)}},
        {{x1 = small(3, 4), x2 = small(4), p = 1, keepdim = true}},
        {{x1 = small(4), x2 = small(4), p = 3}},
        {{x1 = small(0, 4), x2 = small(0, 4)}},
        {{x1 = small(), x2 = small()}, error = "x1 and x2 must not both be scalars$"},
    },
    pdist = {
        torch = "F.pdist(input, p)",
        dtypes = "float",
        {{input = small(4, 3)}, torch = "distances(input, p)"},
        {{input = small(4, 3), p = 1}, torch = "distances(input, p)"},
        {{input = small(3, 2), p = 3}, torch = "distances(input, p)"},
        {{input = small(1, 2)}, torch = "distances(input, p)"},
        {{input = small(0, 2)}, torch = "distances(input, p)"},
        {{input = small(3)}, error = "input must be a matrix, one row a point, got shape 3$"},
        {{input = small()}, error = "input must be a matrix, one row a point, got shape scalar$"},
        {{input = small(3, 2), p = -1}, error = "p must not be negative, got %-1$"},
    },
}
