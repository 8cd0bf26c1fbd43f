--- Samples of drawing from distributions: such as have one outcome only, where there are any.

local values = require "tests.harness.values"

local random, literal, number = values.random, values.literal, values.number

local function sure(options)
    options.low, options.high, options.step, options.ints = 0, 1, 1, {0, 1}
    return random(options)
end

local function drawn(...)
    return {reference = false, ...}
end

return {
    bernoulli = {
        torch = "torch.bernoulli(input)",
        {{input = sure {2, 3}}},
        {{input = sure {}}},
        {{input = random {0}}},
        {{input = literal {0.5, 1.5}}, error = "bernoulli: input must hold probabilities.* got 1.5 at position 2"},
        {{input = literal {0 / 0}}, error = "bernoulli: input must hold probabilities.* got %-?nan at position 1"},
    },
    bernoulli__number = {
        torch = "torch.full_like(input, p)",
        {{input = random {2, 3}, p = 1.0}},
        {{input = random {}, p = 0.0}},
        {{input = random {0}, p = 0.5}, torch = "input"},
        {{input = random {2}, p = 1.5}, error = "bernoulli: p must be a probability, in %[0, 1%], got 1.5"},
        {{input = random {2}, p = 0 / 0}, error = "bernoulli: p must be a probability"},
    },
    bernoulli__tensor = {
        no_grad = true,
        torch = "p.expand(input.shape).to(input.dtype)",
        dtypes = "any",
        {{input = random {2, 3}, p = literal({0, 1, 1}, {dtype = "float32", grad = false})}, grad = false},
        {{input = random {}, p = literal(1.0, {dtype = "float64", grad = false})}, grad = false},
        {{input = random {0}, p = literal({1.0}, {dtype = "float16", grad = false})}, grad = false},
        {{input = random {2}, p = literal({0, 1}, {dtype = "int64", grad = false})},
            error = "bernoulli: p must be a float tensor, got int64"},
        {{input = random {2}, p = literal({0.0, -1.0}, {dtype = "float32", grad = false})},
            error = "bernoulli: input must hold probabilities.* got %-1 at position 2"},
    },
    multinomial = {
        torch = "torch.multinomial(input, num_samples, replacement) + 1",
        {{input = literal {0, 3, 0}, num_samples = 4, replacement = true}, layouts = false},
        {{input = literal {{0, 3, 0}, {0.5, 0, 0}}, num_samples = 1}, layouts = false},
        {{input = random {3, 1, low = 0.5, high = 2}, num_samples = 1}},
        {{input = literal({{}, {}}, {shape = {0, 3}}), num_samples = 2}, covers = "empty",
            torch = "torch.zeros(0, 2, dtype=torch.int64)"},
        {{input = literal {0, 3}, num_samples = 2}, error = "multinomial: row 1 must have at least 2 weights above 0"},
        {{input = literal {1, -3}, num_samples = 1}, error = "multinomial: .*got %-3 at position 2"},
        {{input = literal {0, 0}, num_samples = 1, replacement = true}, error = "multinomial: row 1 must have"},
        {{input = literal {1, 1}, num_samples = 3}, error = "multinomial: num_samples must be"},
        {{input = literal {1, 1}, num_samples = 0, replacement = true}, error = "multinomial: num_samples must be"},
        {{input = literal(1.0), num_samples = 1}, error = "multinomial: input must be a vector or a matrix",
            covers = "scalar"},
    },
    poisson = {
        torch = "torch.poisson(input)",
        {{input = literal {0, 0, 0}}},
        {{input = literal(0.0)}},
        {{input = random {0}}},
        {{input = literal {{1, 2}, {3, -1}}}, error = "poisson: input must hold rates.*got %-1 at position"},
        {{input = literal {1 / 0}}, error = "poisson: input must hold rates"},
    },
    exponential = drawn(
        {{input = random {2, 3}}},
        {{input = random {}, lambd = 0.5}},
        {{input = random {0}}},
        {{input = random {2}, lambd = 0.0}, error = "exponential: lambd must be above 0"}),
    geometric = {
        torch = "torch.ones_like(input)",
        {{input = random {2, 3}, p = 1.0}},
        {{input = random {}, p = 1.0}},
        {{input = random {0}, p = 0.5}},
        {{input = random {2}, p = 0.0}, error = "geometric: p must be a probability, in %[0, 1%] but not 0, got 0"},
    },
    cauchy = {
        torch = "torch.full_like(input, median)",
        {{input = random {2, 3}, median = 2.0, sigma = 0.0}},
        {{input = random {}, median = 0.5, sigma = 0.0}},
        {{input = random {0}}},
        {{input = random {2}, sigma = -1.0}, error = "cauchy: .*sigma.*not negative, got 0 and %-1"},
    },
    log_normal = {
        torch = "torch.ones_like(input)",
        {{input = random {2, 3}, mean = 0.0, std = 0.0}},
        {{input = random {}, mean = 0.0, std = 0.0}},
        {{input = random {0}}},
        {{input = random {2}, mean = 1 / 0}, error = "log_normal: mean must be finite"},
    },
    random = drawn({{input = random {2, 3}}}, {{input = random {}}}, {{input = random {0}}}),
    random__to = {
        torch = "torch.ones_like(input)",
        {{input = random {2, 3}, to = 1}},
        {{input = random {}, to = 1}},
        {{input = random {0}, to = 5}},
        {{input = random {2}, to = 0}, error = "random: to must be at least 1, got 0"},
        {{input = random {2}, to = 300}, dtypes = "int8 uint8", error = "random: to must be in"},
    },
    random__range = {
        torch = "torch.full_like(input, to)",
        {{input = random {2, 3}, from = 7, to = 7}},
        {{input = random {}, from = 3, to = 3}},
        {{input = random {0}, from = 1, to = 5}},
        {{input = random {2}, from = 3, to = 2}, error = "random: to must be at least 3, got 2"},
    },
    normal__tensors = {
        no_grad = true,
        torch = "(mean + torch.as_tensor(std) * 0)",
        dtypes = "float",
        {{mean = random {2, 3}, std = literal({0.0, 0.0, 0.0})}, grad = false},
        {{mean = random {}, std = number(0)}, grad = false},
        {{mean = random {0}}, torch = "mean", grad = false},
        {{mean = random {2}, std = literal {0.5, -0.5}}, error = "normal: std must not be negative or nan"},
        {{mean = random {2}, std = literal {1, 1, 1}}, error = "normal: .*do not broadcast"},
    },
    normal__size = {
        torch = "torch.full(size, mean, dtype=dtype)",
        dtypes = "float",
        {{mean = 2.0, std = 0.0, size = {2, 3}}},
        {{mean = 2.0, std = 0.0, size = {}}, covers = "scalar"},
        {{mean = 2.0, std = 0.0, size = {0}}, covers = "empty"},
        {{mean = 2.0, std = -1.0, size = {2}}, error = "normal: .*std"},
        {{mean = 2.0, std = 1.0, size = {-2}}, error = "normal: .*size"},
    },
}
