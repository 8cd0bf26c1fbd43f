--- Samples of statistics of several variables, distances and histograms.

local values = require "tests.harness.values"

local random, literal, positions = values.random, values.literal, values.positions

local nan, inf = 0 / 0, math.huge

local function weights(list)
    return literal(list, {grad = false})
end

return {
    cov = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.cov(input, correction=correction, fweights=fweights, aweights=aweights)",
        {{input = random {3, 5}}},
        {{input = random {3, 5}, correction = 0}},
        {{input = random {3, 4}, fweights = positions {1, 2, 3, 1}}},
        {{input = random {3, 4}, aweights = weights {0.5, 1.0, 2.0, 1.5}}, dtypes = "wide"},
        {{input = random {3, 4}, correction = 2, fweights = positions {1, 2, 3, 1},
            aweights = weights {0.5, 1.0, 2.0, 1.5}}, dtypes = "wide"},
        {{input = random {6}}},
        {{input = random {}, correction = 0}},
        {{input = random {2, 0}}, grad = false},
        {{input = random {2, 2, 2}}, error = "cov: input must have up to two dims"},
        {{input = random {2, 3}, fweights = positions {1, 2}}, error = "cov: fweights must be a vector of 3"},
        {{input = random {2, 3}, aweights = positions {1, 2, 3}}, error = "cov: aweights must be floats, got int64"},
    },
    corrcoef = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.corrcoef(input)",
        {{input = random {3, 5}}},
        {{input = random {6}}, second = false},
        {{input = random {}}, grad = false},
        {{input = random {2, 0}}, grad = false},
        {{input = random {2, 2, 2}}, error = "corrcoef: input must have up to two dims"},
    },
    dist = {
        dtypes = "float",
        ulps = 4,
        torch = "torch.dist(input, other, p)",
        {{input = random {2, 3}, other = random {2, 3}}},
        {{input = random {2, 3}, other = random {3}, p = 1}},
        {{input = random {2, 3}, other = random {3}, p = 3}},
        {{input = random {2, 3}, other = random {}, p = inf}},
        {{input = random {2, 3}, other = random {3}, p = 0}, grad = false},
        {{input = random {0}, other = random {1}}},
        {{input = random {}, other = random {}, p = 1}},
        {{input = random {2}, other = random {3}}, error = "dist: "},
    },
    renorm = {
        dtypes = "float",
        ulps = 4,
        rtol = 1e-5,
        torch = "torch.renorm(input, p, dim, maxnorm)",
        {{input = random {3, 4}, p = 2, dim = 1, maxnorm = 3}},
        {{input = random {3, 4}, p = 1, dim = 2, maxnorm = 4.5}},
        {{input = random {2, 3, 2}, p = 3, dim = -2, maxnorm = 3}},
        {{input = random {3, 0}, p = 2, dim = 1, maxnorm = 1}},
        {{input = random {4}, p = 2, dim = 1, maxnorm = 1}, error = "renorm: input must have two dims at least, got 4"},
        {{input = random {2, 2}, p = 0, dim = 1, maxnorm = 1}, error = "renorm: p must be more than 0"},
        {{input = random {}, p = 2, dim = 1, maxnorm = 1}, error = "renorm: input must have two dims"},
    },
    vdot = {
        dtypes = "number",
        ulps = 4,
        torch = "torch.vdot(input, other)",
        {{input = random {5}, other = random {5}}},
        {{input = random {0}, other = random {0}}},
        {{input = random {}, other = random {}}, error = "vdot: "},
    },
    histogram = {
        dtypes = "wide",
        no_grad = true,
        torch = "torch.histogram(input, bins, range=None if range is None else range.tolist(), weight=weight, " ..
            "density=density)",
        {{input = random {3, 20}, bins = 7}},
        {{input = random {30}, bins = 5, range = weights {-2.0, 2.5}}},
        {{input = random {30}, bins = 5, range = weights {-2.0, 2.5}, weight = random {30, grad = false}}},
        {{input = random {30}, bins = 4, range = weights {-4.0, 4.0}, density = true}},
        {{input = literal {2.0, 2.0, 2.0}, bins = 3}},
        {{input = literal {nan, 0.0, 1.0, 0.5, inf, -inf}, bins = 2, range = weights {0.0, 1.0}}},
        {{input = random {0}, bins = 2, range = weights {0.0, 1.0}}},
        {{input = random {}, bins = 2, range = weights {-4.0, 4.0}}},
        {{input = random {3}, bins = 0}, error = "histogram: bins must be from 1 to 2%^30, got 0"},
        {{input = random {3}, bins = 2, range = weights {1.0}}, error = "histogram: range must have 2 numbers, got 1"},
        {{input = random {3}, bins = 2, range = weights {2.0, 1.0}},
            error = "histogram: the range must be finite and ascend"},
        {{input = literal {nan}, bins = 2}, error = "histogram: the range must be finite"},
    },
    histogram__edges = {
        dtypes = "wide",
        no_grad = true,
        torch = "torch.histogram(input, bins, weight=weight, density=density)",
        {{input = random {30}, bins = literal {-3.0, -1.0, 0.5, 2.0}}},
        {{input = random {3, 10}, bins = literal {-3.0, -1.0, 0.5, 2.0}, weight = random {3, 10, grad = false},
            density = true}},
        {{input = random {0}, bins = literal {0.0, 1.0}}},
        {{input = random {}, bins = literal {-4.0, 0.0, 4.0}}},
        {{input = random {3}, bins = random {2, 2}}, error = "histogram: bins must be a vector of 2 edges"},
    },
}
