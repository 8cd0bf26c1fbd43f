--- Samples of sorting, ranks and searching.

local values = require "tests.harness.values"

local random, literal, number, positions = values.random, values.literal, values.number, values.positions

local nan, inf = 0 / 0, math.huge

local function shuffle(...)
    return random {ints = {-60, 60}, distinct = true, ...}
end

local function sorts(torch)
    return {
        torch = torch,
        dtypes = "any",
        {{input = random {5}}},
        {{input = random {3, 4}}},
        {{input = random {3, 4}, dim = 1}},
        {{input = random {3, 4}, dim = 2, descending = true}},
        {{input = random {2, 5, 3}, dim = -2, descending = true, stable = true}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = random {3, 0}, dim = 1}},
        {{input = random {2, 70}}},
        {{input = random {900}}, dtypes = "float32 float64 uint8 int64", differences = false},
        {{input = literal {3.0, nan, -inf, inf, 0.0, nan, -0.0, 2.5}}, dtypes = "float", grad = false},
        {{input = literal {3.0, nan, -inf, inf, 0.0, nan, -0.0, 2.5}, descending = true}, dtypes = "float",
            grad = false},
        {{input = random {2, 3}, dim = 3}, error = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 3$"},
    }
end

local empty_choice = "%a+: expected at least one element to choose from, got shape 0x3$"

local function along_dim(torch)
    return {
        torch = torch,
        {{input = shuffle(2, 3), dim = 1}, dtypes = "signed float"},
        {{input = shuffle(2, 3), dim = -1, keepdim = true}, dtypes = "signed float"},
        {{input = shuffle(2, 5, 3), dim = 2}, dtypes = "signed float"},
        {{input = shuffle(70), dim = 1}, dtypes = "signed float"},
        {{input = random {}, dim = 1}},
        {{input = random {3, 0}, dim = 1}},
        {{input = random {0, 3}, dim = 1}, error = empty_choice},
        {{input = random {2, 3}, dim = 3}, error = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 3$"},
    }
end

local function with(list, extra)
    for _, sample in ipairs(extra) do
        list[#list + 1] = sample
    end
    return list
end

local with_nan = literal {{1.0, nan, 3.0, nan}, {2.0, 5.0, -inf, 1.0}, {nan, nan, nan, nan}}

local function of_all()
    return {
        {{input = shuffle(2, 3)}},
        {{input = random {}}},
        {{input = shuffle(70)}},
        {{input = shuffle(4, 5, 3)}},
        {{input = with_nan}, dtypes = "float", grad = false},
        {{input = literal {{3, 1, 3}, {2, 3, 1}}}},
        {{input = literal {true, false, true}}, dtypes = "bool"},
        {{input = random {2, 0}}, error = "median: expected at least one element to choose from, got shape 2x0$"},
    }
end

local shares = literal({0.11, 0.45, 0.77})
local ends = literal({0.0, 1.0, 0.5}, {grad = false})

local function quantiles(torch)
    local list = {
        torch = torch,
        dtypes = "wide",
        {{input = shuffle(7), q = number(0.4)}},
        {{input = shuffle(7), q = shares}},
        {{input = shuffle(3, 5), q = ends, dim = 1}},
        {{input = shuffle(3, 5), q = shares, dim = 2, keepdim = true}},
        {{input = shuffle(2, 5, 3), q = shares, dim = -2}},
        {{input = shuffle(2, 5, 3), q = number(0.3), dim = 1, keepdim = true}},
        {{input = shuffle(2, 5, 3), q = number(0.3), keepdim = true}},
        {{input = random {}, q = number(0.3)}},
        {{input = random {3, 0}, q = number(0.3), dim = 1}, torch = "input.sum(dim)"},
        {{input = with_nan, q = ends, dim = 2}, grad = false},
        {{input = shuffle(5), q = number(1.5)}, error = "quantile: q must be in %[0, 1%], got 1.5$"},
        {{input = shuffle(5), q = number(0.5), interpolation = "cubic"}, error = "quantile: interpolation must be "},
        {{input = random {0}, q = number(0.5)}, error = "quantile: expected at least one element, got shape 0$"},
    }
    for _, interpolation in ipairs {"lower", "higher", "midpoint", "nearest"} do
        list[#list + 1] = {{input = shuffle(4, 6), q = shares, dim = 2, interpolation = interpolation}}
    end
    return list
end

local rows = literal {{3, 1, 2}, {1, 2, 2}, {3, 1, 2}, {1, 1, 5}, {3, 1, 2}}
local runs = literal {3, 3, 1, 1, 1, 2, 3, 3}

local no_slices = "%a+: with dim, input must have elements and at least one dim, got shape "

local function uniques(torch)
    return {
        torch = torch,
        dtypes = "any",
        no_grad = true,
        {{input = runs}},
        {{input = runs, return_inverse = true}},
        {{input = runs, return_counts = true}},
        {{input = runs, return_inverse = true, return_counts = true}},
        {{input = random {4, 5, ints = {-2, 2}, low = -0.1, high = 0.1}, return_inverse = true, return_counts = true}},
        {{input = rows, return_inverse = true, return_counts = true, dim = 1}},
        {{input = rows, return_inverse = true, return_counts = true, dim = 2}},
        {{input = random {2, 6, 2, ints = {0, 1}, low = 0, high = 0.05}, return_counts = true, dim = 2}},
        {{input = random {}, return_inverse = true, return_counts = true}},
        {{input = random {0}, return_inverse = true, return_counts = true}},
        {{input = random {1}, return_counts = true, dim = 1}},
        {{input = random {0, 3}, dim = 1}, error = no_slices},
        {{input = random {}, dim = 1}, error = no_slices},
    }
end

local ladder = literal {-3, -1, 2, 2, 5}
local ladders = literal {{-3, -1, 2, 5}, {0, 1, 1, 3}}
local steps = literal {0, 3, 5, 7}

local function without_gradients(entry)
    entry.no_grad = true
    return entry
end

return {
    sort = sorts("positions(torch.sort(input, dim=dim, descending=descending, stable=True))"),
    argsort = without_gradients(sorts("torch.sort(input, dim=dim, descending=descending, stable=True)[1] + 1")),
    msort = {
        dtypes = "any",
        torch = "torch.sort(input, dim=0, stable=True)[0]",
        {{input = random {5}}},
        {{input = random {4, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
    },
    topk = {
        torch = "positions(torch.topk(input, k, dim, largest, True))",
        {{input = shuffle(6), k = 2}, dtypes = "signed float"},
        {{input = shuffle(6), k = 6, largest = false}, dtypes = "signed float"},
        {{input = shuffle(3, 5), k = 2, dim = 1}, dtypes = "signed float"},
        {{input = shuffle(3, 5), k = 3, dim = -1, largest = false, sorted = false}, dtypes = "signed float"},
        {{input = shuffle(2, 5, 3), k = 2, dim = 2}, dtypes = "signed float"},
        {{input = shuffle(5), k = 0}},
        {{input = random {}, k = 1}},
        {{input = random {0}, k = 0}},
        {{input = literal {1.0, nan, 3.0, -inf}, k = 3}, dtypes = "float", grad = false},
        {{input = literal {true, false}, k = 2}, dtypes = "bool"},
        {{input = literal {4, 7, 1}, k = 2}, dtypes = "uint8"},
        {{input = random {3}, k = 4}, error = "topk: k must be in %[0, 3%], as dim 1 has size 3; got 4$"},
        {{input = random {3}, k = -1}, error = "topk: k must be in %[0, 3%], as dim 1 has size 3; got %-1$"},
    },
    kthvalue = {
        torch = "positions(torch.kthvalue(input, k, dim, keepdim))",
        {{input = shuffle(6), k = 2}, dtypes = "signed float"},
        {{input = shuffle(3, 5), k = 1, dim = 1}, dtypes = "signed float"},
        {{input = shuffle(3, 5), k = 5, dim = -1, keepdim = true}, dtypes = "signed float"},
        {{input = shuffle(3, 35), k = 18}, dtypes = "signed float"},
        {{input = random {}, k = 1}},
        {{input = random {3, 0}, k = 2, dim = 1}},
        {{input = literal {1.0, nan, 3.0}, k = 2}, dtypes = "float", grad = false},
        {{input = literal {true, false}, k = 2}, dtypes = "bool"},
        {{input = literal {4, 7, 1}, k = 2}, dtypes = "uint8"},
        {{input = random {3}, k = 4}, error = "kthvalue: k must be in %[1, 3%], as dim 1 has size 3; got 4$"},
        {{input = random {3}, k = 0}, error = "kthvalue: k must be in %[1, 3%], as dim 1 has size 3; got 0$"},
    },
    median = of_all(),
    nanmedian = of_all(),
    median__dim = with(along_dim("positions(torch.median(input, dim, keepdim))"), {
        {{input = literal {{1.0, nan, 3.0}, {2.0, 5.0, -inf}}, dim = 2}, dtypes = "float", grad = false},
    }),
    nanmedian__dim = with(along_dim("positions(torch.nanmedian(input, dim, keepdim))"), {
        {{input = literal {{1.0, nan, 3.0}, {2.0, 5.0, -inf}}, dim = 2}, dtypes = "float", grad = false},
    }),
    mode = with(along_dim("positions(torch.mode(input, dim, keepdim))"), {
        {{input = literal {{3, 1, 3, 1, 2}, {2, 2, 2, 1, 1}}, dim = 2}, differences = false},
    }),
    quantile = quantiles("torch.quantile(input, q.to(input.dtype), dim, keepdim, interpolation=interpolation)"),
    nanquantile = quantiles("torch.nanquantile(input, q.to(input.dtype), dim, keepdim, interpolation=interpolation)"),
    unique = uniques("uniques(torch.unique(input, True, return_inverse, return_counts, dim), return_inverse)"),
    unique_consecutive = uniques(
        "uniques(torch.unique_consecutive(input, return_inverse=return_inverse, " ..
            "return_counts=return_counts, dim=dim), return_inverse)"),
    searchsorted = {
        torch = "torch.searchsorted(sorted_sequence, input, right=right, side=side, out_int32=out_int32, " ..
            "sorter=None if sorter is None else sorter - 1) + 1",
        {{sorted_sequence = ladder, input = random {7}}, dtypes = "signed float"},
        {{sorted_sequence = ladder, input = random {2, 3}, right = true}, dtypes = "signed float"},
        {{sorted_sequence = ladder, input = random {4}, side = "right", out_int32 = true}, dtypes = "signed float"},
        {{sorted_sequence = ladder, input = random {4}, side = "left"}, dtypes = "signed float"},
        {{sorted_sequence = ladders, input = random {2, 3}}, dtypes = "signed float"},
        {{sorted_sequence = steps, input = random {9}}, dtypes = "int float"},
        {{sorted_sequence = literal {5, 0, 7, 3}, input = random {4}, sorter = positions {2, 4, 1, 3}},
            dtypes = "int float"},
        {{sorted_sequence = literal {false, true}, input = random {3}}, dtypes = "bool"},
        {{sorted_sequence = steps, input = random {}}, dtypes = "int float"},
        {{sorted_sequence = steps, input = random {0}}, dtypes = "int float"},
        {{sorted_sequence = random {0}, input = random {3}}, dtypes = "int float"},
        {{sorted_sequence = literal {1.0, 2.0, nan}, input = literal {nan, 2.0, inf, -inf}}, dtypes = "float"},
        {{sorted_sequence = steps, input = random {2}, side = "up"},
            error = "searchsorted: side must be \"left\" or \"right\", got \"up\"$"},
        {{sorted_sequence = steps, input = random {2}, sorter = positions {1, 2, 3, 5}},
            error = "searchsorted: sorter must be in %[1, 4%], got 5 at position 4$"},
        {{sorted_sequence = ladders, input = random {3, 2}},
            error = "searchsorted: sorted_sequence must be a vector or have"},
    },
    bucketize = {
        dtypes = "int float",
        no_grad = true,
        torch = "torch.bucketize(input, boundaries, out_int32=out_int32, right=right) + 1",
        {{input = random {3, 4}, boundaries = steps}},
        {{input = random {4}, boundaries = steps, right = true}},
        {{input = random {4}, boundaries = steps, out_int32 = true}},
        {{input = random {}, boundaries = steps}},
        {{input = random {0}, boundaries = steps}},
        {{input = random {3}, boundaries = random {2, 2}}, error = "bucketize: boundaries must be a vector"},
    },
}
