--- Samples of the cumulative ops, of differences and integrals.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local nan, inf = 0 / 0, math.huge

local bad_dim = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 3$"

local function scans(torch, range, extra)
    local function shaped(...)
        local options = {...}
        for key, value in pairs(range) do
            options[key] = value
        end
        return random(options)
    end
    local list = {
        torch = torch,
        {{input = shaped(5), dim = 1}},
        {{input = shaped(3, 4), dim = 1}},
        {{input = shaped(3, 4), dim = -1}},
        {{input = shaped(2, 5, 3), dim = 2}},
        {{input = shaped(1, 3), dim = 1}},
        {{input = shaped(), dim = 1}},
        {{input = shaped(0), dim = 1}},
        {{input = shaped(3, 0), dim = 1}},
        {{input = shaped(0, 3), dim = 1}},
        {{input = shaped(2, 3), dim = 3}, error = bad_dim},
    }
    for _, sample in ipairs(extra or {}) do
        list[#list + 1] = sample
    end
    return list
end

local with_nan = {
    {{input = literal {{1.0, nan, 3.0, inf}, {-inf, 5.0, -inf, 1.0}}, dim = 2}, dtypes = "float", grad = false},
    {{input = literal {{1.0, nan, 3.0, inf}, {-inf, 5.0, -inf, 1.0}}, dim = 1}, dtypes = "float", grad = false},
}

local function join(...)
    local all = {}
    for _, list in ipairs {...} do
        table.move(list, 1, #list, #all + 1, all)
    end
    return all
end

local ties = {
    {{input = literal {3, 1, 3, 2, 4, 4}, dim = 1}, differences = false},
    {{input = random {70, distinct = true, ints = {-60, 60}}, dim = 1}},
}

local function integrals(name)
    local torch = "torch." .. name .. "(y, x, dim=dim) if x is not None else torch." .. name .. "(y, dx=dx, dim=dim)"
    return {
        torch = torch,
        dtypes = "int32 int64 float",
        rtol = 4e-6,
        ulps = 3,
        {{y = random {5}}},
        {{y = random {3, 4}}},
        {{y = random {3, 4}, dx = 3, dim = 1}},
        {{y = random {3, 4}, dx = 0.5, dim = 1}, dtypes = "float"},
        {{y = random {3, 4}, x = random {4}}},
        {{y = random {3, 4}, x = random {3}, dim = 1}},
        {{y = random {3, 4}, x = random {3, 4}}},
        {{y = random {3, 1}}},
        {{y = random {3, 0}}, dtypes = "float"},
        {{y = random {}}, error = "%a+: y must have at least one dim, got a scalar$"},
        {{y = random {3, 4}, x = random {3}}, error = "%a+: x must have as many entries along dim 2 as y; got shapes"},
    }
end

return {
    cumsum = scans("torch.cumsum(input, dim, dtype=dtype)", {}, join(with_nan, {
        {{input = random {70}, dim = 1}},
        {{input = random {2, 3}, dim = 1, dtype = "float64"}, dtypes = "any"},
        {{input = random {2, 3}, dim = 1, dtype = "int32"}, dtypes = "int bool"},
    })),
    cumprod = scans("torch.cumprod(input, dim, dtype=dtype)", {low = 0.5, high = 1.6, ints = {-2, 2}}, join(with_nan, {
        {{input = literal {{2, 0, 3, 2}, {0, 5, 0, 5}, {1, 2, 3, 4}}, dim = 2}, dtypes = "signed float"},
        {{input = random {2, 3, low = 0.5, high = 1.6, ints = {-2, 2}}, dim = 1, dtype = "float64"}, dtypes = "any"},
    })),
    cummax = scans("positions(torch.cummax(input, dim))", {}, join(with_nan, ties)),
    cummin = scans("positions(torch.cummin(input, dim))", {}, join(with_nan, ties)),
    logcumsumexp = scans("torch.logcumsumexp(input, dim)", {}, {
        {{input = literal {1000.0, 999.0, -1000.0, 1001.0}, dim = 1}, dtypes = "wide"},
        {{input = literal {-inf, -inf, 1.0, 2.0, inf}, dim = 1}, dtypes = "float", grad = false},
        {{input = literal {1.0, nan, 2.0}, dim = 1}, dtypes = "float", grad = false},
        {{input = literal({-inf, -inf, 1.0, 1000.0}, {imag = {0.0, 0.5, 2.0, -1.0}}), dim = 1}, dtypes = "complex",
            complex_grad = false},
    }),
    diff = {
        dtypes = "any",
        torch = "torch.diff(input, n, dim, prepend, append)",
        {{input = random {5}}},
        {{input = random {3, 4}, n = 2}},
        {{input = random {3, 4}, dim = 1}},
        {{input = random {3, 4}, dim = 1, prepend = random {1, 4}, append = random {2, 4}}},
        {{input = random {3, 4}, n = 5}},
        {{input = random {3}, n = 0}},
        {{input = random {3, 0}}},
        {{input = random {}}, error = "diff: input must have at least one dim, got a scalar$"},
        {{input = random {3}, n = -1}, error = "diff: n must not be negative, got %-1$"},
    },
    trapezoid = integrals("trapezoid"),
    trapz = integrals("trapezoid"),
    cumulative_trapezoid = integrals("cumulative_trapezoid"),
}
