--- Samples of the mathematical functions of one tensor.

local values = require "tests.harness.values"
local common = require "tests.harness.samples.common"

local random, literal = values.random, values.literal
local unary = common.unary

local nan, inf = 0 / 0, math.huge

--- A literal run in float32 and float64 without gradients.
local function at(elements)
    return {{input = literal(elements)}, dtypes = "wide", grad = false}
end

local positive = {low = 0.25, ints = {1, 9}}
local open = {low = -0.96875, high = 0.96875, step = 1 / 32, ints = {0, 0}}
local fraction = {low = 0.0625, high = 0.9375, step = 1 / 32, ints = {0, 1}}

local function with(torch, range, extra)
    local list = unary(range, extra)
    list.torch = torch
    return list
end

local function test(torch)
    return with(torch, {}, {{{input = literal {-128, 127, 0}}, dtypes = "int8"}})
end

--- Samples of the incomplete gamma functions, which have no gradient of their order.
local function incomplete(torch)
    local function order(...)
        return random {low = 0.5, high = 6, grad = false, ...}
    end
    return {
        torch = torch,
        no_gradient_of_first = true,
        {{input = order(2, 3), other = random {2, 3, low = 0.25, high = 8}}},
        {{input = order(), other = random {2, 3, low = 0.25}}},
        {{input = order(2, 1), other = random {3, low = 0.25}}},
        {{input = order(), other = random {low = 0.25}}},
        {{input = order(0), other = random {}}},
        {{input = literal {0.0, 0.0, 1.0, -1.0, 1.0, nan, 2.0, inf},
            other = literal {0.0, 1.0, 0.0, 1.0, -1.0, 1.0, inf, 1.0}},
            dtypes = "wide", grad = false},
        {{input = literal {1e-3, 0.5, 20.0, 100.0, 15.0}, other = literal {2.0, 30.0, 18.0, 110.0, 0.5}},
            dtypes = "float64", grad = false, rtol64 = 1e-9},
    }
end

return {
    rsqrt = unary(positive),
    exp2 = unary({}, {at {127.5, -149.0, 0.1, 1e-9}}),
    expm1 = unary({}, {at {1e-9, -1e-9, 80.0, -40.0, 0.3}}),
    log2 = unary(positive, {at {1e-30, 0.999999, 1.000001, 1e30}}),
    log10 = unary(positive, {at {1e-30, 0.999999, 1.000001, 1e30}}),
    log1p = unary({low = -0.75, ints = {0, 20}}, {at {1e-9, -1e-9, 1e30, -1.0, -1.5}}),
    tan = unary({low = -1.4, high = 1.4}, {at {100.0, -3.0, 1e6, 1.5625}}),
    asin = unary(open, {at {1e-9, 0.5, 0.75, -0.999}}),
    acos = unary(open, {at {1e-9, 0.5, 0.75, -0.999}}),
    atan = unary({}, {at {1e-9, 1e30, -0.5, 1.0}}),
    sinh = unary({}, {at {1e-9, 88.0, -20.0, 0.99}}),
    cosh = unary({}, {at {1e-9, 88.0, -20.0, 0.99}}),
    asinh = unary({}, {at {1e-9, 1e30, -1e15, 0.3}}),
    acosh = unary({low = 1.0625, ints = {1, 9}}, {at {1.0, 1.000001, 1e30, 0.5}}),
    atanh = unary(open, {at {1e-9, 0.5, -0.99993896484375, 1.0, -1.0}}),
    erf = unary({}, {at {1e-9, 0.9, -5.0, 10.0}}),
    erfc = unary({}, {at {1e-9, 0.9, -5.0, 9.0}}),
    erfinv = with(nil, open, {at {1e-9, 0.5, -0.99999904632568359375, 1.0, -1.0, 0.97}}),
    lgamma = unary(positive, {at {1e-9, 0.5, 1.0, 2.0, 2.5, 8.5, 100.0, -0.5, -2.75, 1e10}}),
    digamma = unary(positive, {at {1e-3, 0.5, 1.0, 10.0, 100.0, -0.5, -2.75, 0.0, -1.0}}),
    i0 = with("torch.where(torch.isinf(input), input.abs(), torch.i0(input))", {}, {
        at {1e-9, 8.0, -9.5, 40.0, 80.0},
    }),
    special_i1 = with("torch.where(torch.isinf(input), input, torch.special.i1(input))", {}, {
        at {1e-9, 8.0, -9.5, 40.0, 80.0},
    }),
    sinc = with("torch.sinc(input).where(input != 1, 0.0)", {low = -0.9, high = 0.9, ints = {0, 0}}, {
        at {1e-9, 0.5, 7.25, -40.5},
        {{input = literal({0.0, 0.25, -1.5}, {imag = {0.5, 1e-3, 2.0}})}, dtypes = "complex", grad = false},
    }),
    frac = unary(),
    logit = with("torch.logit(input, eps)", fraction, {
        {{input = random {2, 3, low = -0.25, high = 1.25, ints = {0, 1}}, eps = 0.125}},
        {{input = literal {0.0, 1.0, 0.5, 1e-6, 0.999}}, dtypes = "wide", grad = false},
        {{input = random {2}, eps = 0.75}, error = "logit: eps must be in %[0, 0%.5%], got 0%.75$"},
    }),
    nan_to_num = {
        torch = "torch.nan_to_num(input, nan, posinf, neginf)",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = random {67}}},
        {{input = literal {nan, inf, -inf, 1.5}}, dtypes = "float64", differences = false},
        {{input = literal {nan, inf, -inf, 1.5}}, dtypes = "float32"},
        {{input = literal {nan, inf, -inf, 1.5}}, dtypes = "bfloat16"},
        {{input = literal {nan, inf, -inf, 1.5}}, dtypes = "float16"},
        {{input = literal {nan, inf, -inf, 1.5}, nan = 2.0, posinf = 3.0, neginf = -4.0}, dtypes = "float",
            differences = false},
        {{input = literal({nan, inf, -inf, 1.5}, {imag = {inf, 2.5, nan, -1.0}}), nan = 2.0, posinf = 3.0,
            neginf = -4.0}, dtypes = "complex", complex_grad = false},
        {{input = literal({nan, inf, -inf, 1.5}, {imag = {inf, 2.5, nan, -1.0}})}, dtypes = "complex128",
            complex_grad = false},
    },
    polygamma = {
        torch = "polygamma(n, input)",
        ulps = 1,
        {{input = random {2, 3, low = 0.25, ints = {1, 9}}, n = 1}},
        {{input = random {2, 3, low = 0.25, ints = {1, 9}}, n = 0}},
        {{input = random {67, low = 0.5, ints = {1, 9}}, n = 2}, rtol = 4e-6},
        {{input = random {low = 0.5, ints = {1, 9}}, n = 3}},
        {{input = random {0}, n = 1}},
        {{input = literal {-0.5, -2.75}, n = 1}, dtypes = "wide"},
        {{input = random {2}, n = -1}, error = "polygamma: n must not be negative, got %-1$"},
    },
    polygamma__order = {
        torch = "polygamma(n, input)",
        dtypes = "float",
        ulps = 1,
        {{n = 1, input = random {2, 3, low = 0.25}}},
        {{n = 2, input = random {low = 0.25}}},
        {{n = 1, input = random {0}}},
    },
    mvlgamma = {
        dtypes = "float",
        torch = "torch.mvlgamma(input, p)",
        ulps = 4,
        {{input = random {2, 3, low = 1.5}, p = 1}},
        {{input = random {2, 3, low = 1.5}, p = 3}},
        {{input = random {low = 1.5}, p = 2}},
        {{input = random {0}, p = 2}},
        {{input = random {2}, p = 0}, error = "mvlgamma: p must be in %[1, 1000%], got 0$"},
        {{input = random {2}, p = 1001}, error = "mvlgamma: p must be in %[1, 1000%], got 1001$"},
    },
    igamma = incomplete "torch.igamma(input, other)",
    igammac = incomplete "torch.igammac(input, other)",
    special_zeta = {
        torch = "torch.special.zeta(input, other)",
        ulps = 1,
        {{input = random {2, 3, low = 1.5, high = 7, ints = {2, 6}, grad = false},
            other = random {2, 3, low = 0.25, ints = {1, 6}}}},
        {{input = random {low = 1.5, ints = {2, 6}, grad = false}, other = random {2, 3, low = 0.25, ints = {1, 6}}}},
        {{input = random {2, 1, low = 1.5, ints = {2, 6}, grad = false},
            other = random {3, low = 0.25, ints = {1, 6}}}},
        {{input = random {0, grad = false}, other = random {}}},
        {{input = literal({2.0, 3.0, 1.0, 2.0}), other = literal {-0.5, -1.25, 2.0, -3.0}}, dtypes = "wide",
            grad = false},
    },
    deg2rad = unary(),
    rad2deg = unary(),
    positive = {
        dtypes = "real",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = values.mask {2}}, error = "positive: input must not be bool$"},
    },
    signbit = {
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = random {67}}},
        {{input = literal {inf, -inf, 0.0, -0.0, 1.0, -1.0}}, dtypes = "float"},
        {{input = literal {-128, 127, 0}}, dtypes = "int8"},
    },
    isposinf = test(),
    isneginf = test(),
    frexp = {
        torch = "torch.frexp(input)",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
        {{input = random {67}}},
        {{input = literal {0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, 1000.0}}, grad = false},
        {{input = literal {1e-310, -1e-320, 1e300}}, dtypes = "float64", grad = false},
        {{input = literal {1e-40, 1e30}}, dtypes = "float32", grad = false},
    },
}
