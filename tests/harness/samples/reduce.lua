--- Samples of the reductions and softmax.

local values = require "tests.harness.values"
local common = require "tests.harness.samples.common"

local random, literal = values.random, values.literal
local reduce, join, binary = common.reduce, common.join, common.binary

local nan, inf = 0 / 0, math.huge

local with_nan = {
    {{input = literal {{1.0, nan, 3.0}, {2.0, 5.0, -inf}}, dim = 2}, dtypes = "float", grad = false},
    {{input = literal {{1.0, inf, 3.0}, {-inf, 5.0, -inf}}}, dtypes = "float", grad = false},
}

local no_elements = "%a+: expected at least one element to choose from, got shape 0"

local ties = {
    {{input = literal {{3, 1, 3}, {2, 2, 1}}, dim = 2}},
    {{input = literal {{3, 1, 3}, {2, 3, 1}}}},
}

--- Samples of max and min over all elements.
local function over_all()
    return {
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {70, distinct = true, ints = {-50, 50}}}},
        {{input = random {4, 5, 6}}},
        {{input = literal {1.0, nan, 3.0}}, dtypes = "float", grad = false},
        {{input = literal {-inf, -inf}}, dtypes = "float", grad = false},
        {{input = literal {{3, 1, 3}, {2, 3, 1}}}},
        {{input = random {2, 0}}, error = "^m%a%a: expected at least one element to choose from, got shape 2x0$"},
    }
end

local shuffled = {distinct = true, ints = {-60, 60}}

local function shuffle(...)
    return random {ints = shuffled.ints, distinct = true, ...}
end

--- Samples of ops that pick along one dim.
local function along_dim(optional)
    local list = {
        {{input = shuffle(2, 3), dim = 1}, dtypes = "signed float"},
        {{input = shuffle(2, 3), dim = -1, keepdim = true}, dtypes = "signed float"},
        {{input = shuffle(2, 5, 3), dim = 2}, dtypes = "signed float"},
        {{input = shuffle(70), dim = 1}, dtypes = "signed float"},
        {{input = random {}, dim = 1}},
        {{input = random {3, 0}, dim = 1}},
        {{input = random {0, 3}, dim = 1},
            error = "^%a+: expected at least one element to choose from, got shape 0x3$"},
        {{input = literal {true, false, true}, dim = 1}, dtypes = "bool"},
        {{input = literal {{1.0, nan, 3.0}, {inf, 5.0, -inf}}, dim = 2}, dtypes = "float", grad = false},
        {{input = literal {{3, 1, 3}, {2, 2, 1}}, dim = 2}, dtypes = "signed float", grad = false},
        {{input = random {2, 3}, dim = 3},
            error = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 3$"},
    }
    if optional then
        list[#list + 1] = {{input = shuffle(2, 5, 3)}, dtypes = "signed float"}
    end
    return list
end

local function softmax_samples()
    return {
        {{input = random {2, 3}, dim = 1}},
        {{input = random {2, 3}, dim = -1}},
        {{input = random {2, 5, 3}, dim = 2}},
        {{input = random {}, dim = 1}},
        {{input = random {0, 3}, dim = 2}},
        {{input = random {3, 0}, dim = 2}},
        {{input = random {3, 70}, dim = 2}},
        {{input = literal {1000.0, 999.0, 0.0}, dim = 1}, dtypes = "wide", grad = false},
        {{input = literal {{-inf, 0.0, 1.0}, {nan, 1.0, 2.0}}, dim = 2}, dtypes = "float", grad = false},
    }
end

local function backward_samples(low, high)
    return {
        {{grad = random {2, 3}, output = random {2, 3, low = low, high = high}, dim = 1}},
        {{grad = random {2, 3}, output = random {2, 3, low = low, high = high}, dim = 2}},
        {{grad = random {2, 5, 3}, output = random {2, 5, 3, low = low, high = high}, dim = -2}},
        {{grad = random {}, output = random {low = low, high = high}, dim = 1}},
        {{grad = random {0, 3}, output = random {0, 3}, dim = 2}},
        {{grad = random {3, 70}, output = random {3, 70, low = low, high = high}, dim = 2}},
    }
end

local function with_torch(torch, list)
    list.torch = torch
    return list
end

--- A domain with many zeros.
local few = {ints = {-1, 1}, low = 0, high = 0.1}

local over_dims = "reduce_dims(torch.%s, input, dim, keepdim)"

return {
    sum = reduce({}, {
        torch = "reduce_all(torch.sum, input, dim, keepdim, dtype)",
        {{input = random {2, 3}, dtype = "float64"}, dtypes = "any"},
        {{input = random {2, 3}, dim = 2, dtype = "int32"}, dtypes = "int bool"},
        {{input = random {0}}},
        {{input = random {0, 3}, dim = 1}},
    }),
    mean = reduce({}, {
        torch = "reduce_all(torch.mean, input, dim, keepdim, dtype)",
        {{input = random {0}}, grad = false},
        {{input = random {0, 3}, dim = 1}, grad = false},
        {{input = random {2, 3}, dim = 1, dtype = "float64"}, dtypes = "float"},
    }),
    prod = reduce({low = 0.5, high = 1.6, ints = {-2, 2}}, {
        torch = "prod(input, dim, keepdim, dtype)",
        domain = {low = 0.97, high = 1.03, step = 1 / 512, ints = {-1, 2}},
        ulps = 0.52,
        {{input = random {0}}},
        {{input = literal {{2, 0, 3}, {0, 0, 5}, {1, 2, 3}}, dim = 2}, dtypes = "signed float"},
        {{input = literal {{2, 0, 3}, {1, 4, 5}}}, dtypes = "signed float"},
        {{input = random {2, 3}, dim = 1, dtype = "float64"}, dtypes = "any"},
    }),
    amax = join(reduce({}, {torch = over_dims:format("amax")}), with_nan, ties, {
        {{input = random {0}}, error = no_elements},
        {{input = random {0, 3}, dim = 1}, error = no_elements},
    }),
    amin = join(reduce({}, {torch = over_dims:format("amin")}), with_nan, ties, {
        {{input = random {0}}, error = no_elements},
        {{input = random {0, 3}, dim = 1}, error = no_elements},
    }),
    all = join(reduce(few, {torch = over_dims:format("all") .. ".bool()"}), with_nan, {
        {{input = random {0}}},
    }),
    any = join(reduce(few, {torch = over_dims:format("any") .. ".bool()"}), with_nan, {
        {{input = random {0}}},
    }),
    max = over_all(),
    min = over_all(),
    max__dim = with_torch("positions(torch.max(input, dim, keepdim))", along_dim(false)),
    min__dim = with_torch("positions(torch.min(input, dim, keepdim))", along_dim(false)),
    max__other = binary({}, {}, {dtypes = "any", torch = "torch.maximum(input, other)"}),
    min__other = binary({}, {}, {dtypes = "any", torch = "torch.minimum(input, other)"}),
    argmax = with_torch("arg_pick(torch.argmax, input, dim, keepdim)", along_dim(true)),
    argmin = with_torch("arg_pick(torch.argmin, input, dim, keepdim)", along_dim(true)),
    sum_to_size = {
        dtypes = "all",
        torch = "input.sum_to_size(size)",
        {{input = random {2, 3}, size = {3}}},
        {{input = random {2, 3}, size = {2, 1}}},
        {{input = random {2, 3}, size = {2, 3}}},
        {{input = random {2, 3}, size = {}}},
        {{input = random {}, size = {}}, torch = "input.clone()"},
        {{input = random {0, 3}, size = {1, 3}}},
        {{input = random {4, 2, 3}, size = {2, 1}}},
        {{input = random {2, 3}, size = {4}}, error = "sum_to_size: .*4"},
    },
    softmax = with_torch("torch.softmax(input if input.is_floating_point() else input.float(), dim)",
        softmax_samples()),
    log_softmax = with_torch("F.log_softmax(input if input.is_floating_point() else input.float(), dim)",
        softmax_samples()),
    softmax_backward = with_torch("output * (grad - (grad * output).sum(dim, keepdim=True))",
        backward_samples(0.05, 0.9)),
    log_softmax_backward = with_torch("grad - output.exp() * grad.sum(dim, keepdim=True)",
        backward_samples(-2.5, -0.1)),
}
