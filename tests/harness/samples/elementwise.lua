--- Samples of the elementwise operators.

local values = require "tests.harness.values"
local common = require "tests.harness.samples.common"

local random, literal, number, mask = values.random, values.literal, values.number, values.mask
local unary, binary, join, with_numbers = common.unary, common.binary, common.join, common.with_numbers
local specials = common.special_pairs

local nan, inf = 0 / 0, math.huge
local divisor = {low = 0.5, high = 3.9, ints = {1, 7}}

local base, exponent = {low = 0.25, high = 3, ints = {0, 3}}, {low = -2, high = 2, ints = {0, 4}}

local halves = {{input = literal {0.5, 1.5, 2.5, -0.5, -1.5, 3.49, 1e6, -7.75}}, dtypes = "wide", grad = false}

local samples = {
    neg = unary({}, {{{input = literal {-128, 127, 0}}, dtypes = "int8"}}),
    abs = unary({}, {{{input = literal {-128, 127, 0}}, dtypes = "int8"}}),
    sign = unary({}, {torch = "torch.where(torch.isnan(input), input, torch.sign(input))"}),
    exp = unary({}, {
        {{input = literal {88.0, 89.0, -104.0, 709.5, 710.0, -745.0, 1e-9}}, dtypes = "float64", grad = false},
        {{input = literal {80.0, 89.0, -80.0, -110.0}}, dtypes = "float32", grad = false},
    }),
    log = unary({low = 0.25, ints = {1, 20}}, {
        {{input = literal {1e-300, 5e-324, 1e300, 0.999999999}}, dtypes = "float64", grad = false},
    }),
    sqrt = unary({low = 0.25, ints = {0, 20}}),
    tanh = unary({}, {{{input = literal {1e-9, 20.0, -20.0, 1e30}}, dtypes = "wide", grad = false}}),
    sigmoid = unary({}, {{{input = literal {1e-9, 40.0, -40.0, 800.0, -800.0}}, dtypes = "wide", grad = false}}),
    relu = unary(),
    sin = unary({}, {{{input = literal {1e5, -1e5, 1e15, 3.141592653589793}}, dtypes = "float64", grad = false}}),
    cos = unary({}, {{{input = literal {1e5, -1e5, 1e15, 1.5707963267948966}}, dtypes = "float64", grad = false}}),
    square = unary({}, {{{input = literal {127, -128, 100}}, dtypes = "int8"}}),
    reciprocal = unary({low = 0.25, ints = {1, 9}}, {{{input = literal {0, 2}}, dtypes = "signed", grad = false}}),
    floor = unary({}, {halves}),
    ceil = unary({}, {halves}),
    round = unary({}, {halves}),
    trunc = unary({}, {halves}),
    isnan = unary(),
    isinf = unary(),
    isfinite = unary(),
    logical_not = unary(),
    bitwise_not = common.unary_bits(),
    add = join(binary(), with_numbers(3, 0.75), specials, {
        {{input = random {2, 3}, other = random {2, 3}, alpha = 2}, dtypes = "real"},
        {{input = random {2, 3}, other = random {3}, alpha = -0.5}, dtypes = "float complex"},
        {{input = random {2, 3}, other = random {3}, alpha = values.complex(0.5, -2)}, dtypes = "complex"},
        {{input = random {2}, other = random {2}, alpha = values.complex(0.5, -2)}, dtypes = "float32 int64",
            error = "add: alpha is complex and does not fit into %w+; take the part that is meant"},
        {{input = literal {127, -128}, other = literal {1, -1}}, dtypes = "int8"},
        {{input = random {2}, other = random {2}, alpha = 0.5}, dtypes = "int", error = "add: alpha"},
    }),
    sub = join(binary(), with_numbers(3, 0.75), specials, {
        {{input = random {2, 3}, other = random {2, 3}, alpha = 2}},
        {{input = random {2, 3}, other = random {3}, alpha = -0.5}, dtypes = "float complex"},
        {{input = random {2, 3}, other = random {3}, alpha = values.complex(0.5, -2)}, dtypes = "complex"},
    }),
    mul = join(binary(), with_numbers(3, 0.75), specials, {
        {{input = literal {100, -128}, other = literal {3, -1}}, dtypes = "int8"},
    }),
    div = join(binary({}, divisor), with_numbers(3, 0.75), specials, {
        {{input = literal {1, -1, 0}, other = literal {0, 0, 0}}, dtypes = "signed float", grad = false},
    }),
    pow = join({torch = "torch.pow(input, other)"}, binary(base, exponent), specials, {
        {{input = random {2, 3, ints = {-3, 3}}, other = number(2)}},
        {{input = random {2, 3, ints = {-3, 3}}, other = number(3)}},
        {{input = random {2, 3, ints = {-3, 3}}, other = number(0)}},
        {{input = random {2, 3, low = 0.25}, other = number(0.5)}, dtypes = "float", ulps = 0.52},
        {{input = random {2, 3, low = 0.25}, other = number(-0.5)}, dtypes = "float"},
        {{input = random {2, 3, low = 0.25}, other = number(0.1)}, dtypes = "wide"},
        {{input = number(0.1), other = random {2, 3}}, dtypes = "wide"},
        {{input = number(2), other = random {2, 3, low = -3, high = 3, ints = {0, 6}}}},
        {{input = literal {-1.5, -2.0, 0.0, 0.0}, other = literal {2.0, 3.0, 0.0, 2.0}}, dtypes = "float",
            grad = false},
        {{input = literal {0.0, -8.0, 4.0}, other = literal {-1.0, 1 / 3, -0.5}}, dtypes = "float64", grad = false},
        {{input = literal {2, 3}, other = literal {2, -1}}, dtypes = "signed", error = "pow: .*negative"},
    }),
    maximum = join(binary(), with_numbers(3, 0.75), specials),
    minimum = join(binary(), with_numbers(3, 0.75), specials),
    floor_divide = join({torch = "torch.div(input, other, rounding_mode='floor')"}, binary({}, divisor), {
        {{input = literal {7, -7, 7, -7, 0}, other = literal {2, 2, -2, -2, -3}}, dtypes = "signed float",
            grad = false},
        {{input = random {2, 3}, other = number(2)}},
        {{input = literal {5, 3}, other = literal {2, 0}}, dtypes = "int", error = "floor_divide: .*0"},
        {{input = literal {5.0, -5.0, 0.0}, other = literal {0.0, 0.0, 0.0}}, dtypes = "float", grad = false},
    }),
    remainder = join(binary({}, divisor), {
        {{input = literal {7, -7, 7, -7, 0}, other = literal {3, 3, -3, -3, 5}}, dtypes = "signed float",
            grad = false},
        {{input = random {2, 3, low = 0.1}, other = number(2)}},
        {{input = random {2, 3, low = 0.1}, other = number(-2)}, dtypes = "signed float"},
        {{input = literal {5, 3}, other = literal {2, 0}}, dtypes = "int", error = "remainder: .*0"},
    }),
    bitwise_and = binary(),
    bitwise_or = binary(),
    bitwise_xor = binary(),
    eq = join(binary(), with_numbers(3, 0.75), specials),
    ne = join(binary(), with_numbers(3, 0.75), specials),
    lt = join(binary(), with_numbers(3, 0.75), specials),
    le = join(binary(), with_numbers(3, 0.75), specials),
    gt = join(binary(), with_numbers(3, 0.75), specials),
    ge = join(binary(), with_numbers(3, 0.75), specials),
    logical_and = join(binary(), specials),
    logical_or = join(binary(), specials),
    where = {
        {{condition = mask {2, 3}, input = random {2, 3}, other = random {2, 3}}},
        {{condition = mask {3}, input = random {2, 1}, other = random {}}},
        {{condition = mask {}, input = random {2, 3}, other = random {2, 3}}},
        {{condition = mask {}, input = random {}, other = random {}}},
        {{condition = mask {0, 3}, input = random {3}, other = random {1, 3}}},
        {{condition = mask {4, 5}, input = random {4, 5}, other = number(0)}},
        {{condition = mask {67}, input = random {67}, other = random {67}}},
        {{condition = mask {2}, input = random {3}, other = random {3}}, error = "where: .*shapes?"},
    },
    clamp = {
        {{input = random {2, 3}, min = -1, max = 2}, dtypes = "signed float"},
        {{input = random {67}, min = 1}},
        {{input = random {2, 3, 2}, max = 2}},
        {{input = random {}, min = 0, max = 1}},
        {{input = random {0, 2}, min = 0, max = 1}},
        {{input = random {2, 3}, min = -0.5, max = 1.5}, dtypes = "float"},
        {{input = random {2, 3}, min = 0.5}, dtypes = "int", no_inplace = true},
        {{input = random {2, 3}, min = 3, max = 1}},
        {{input = literal {nan, inf, -inf, 0.0}, min = -1.0, max = 1.0}, dtypes = "float", grad = false},
        {{input = random {2}}, error = "clamp: .*min.*max"},
    },
    masked_fill = {
        dtypes = "all",
        {{input = random {2, 3}, mask = mask {2, 3}, value = number(1)}},
        {{input = random {2, 3}, mask = mask {3}, value = random {}}},
        {{input = random {}, mask = mask {}, value = number(1)}},
        {{input = random {0, 3}, mask = mask {3}, value = number(1)}},
        {{input = random {2, 3}, mask = mask {3}, value = values.complex(0.5, -2)}, dtypes = "complex"},
        {{input = random {2, 3}, mask = mask {2, 1}, value = number(-inf)}, dtypes = "float",
            differences = false},
        {{input = random {2, 3}, mask = mask {2}, value = number(1)}, error = "masked_fill: "},
    },
    copy = {
        torch = "src.expand_as(input).to(input.dtype) if src.dim() <= input.dim() else None",
        {{input = random {2, 3}, src = random {2, 3}}},
        {{input = random {2, 3}, src = random {3}}},
        {{input = random {2, 3}, src = random {}}},
        {{input = random {}, src = random {}}},
        {{input = random {0, 3}, src = random {1, 3}}},
        {{input = random {67}, src = random {67}}},
        {{input = random {2, 3}, src = random {4}}, error = "copy: .*2x3"},
    },
    fill = {
        torch = "torch.full_like(input, value)",
        {{input = random {2, 3}, value = 1}},
        {{input = random {}, value = 1}},
        {{input = random {0}, value = 1}},
        {{input = random {67}, value = 0.5}, dtypes = "float"},
        {{input = random {67}, value = values.complex(0.5, -2)}, dtypes = "complex"},
        {{input = random {2}, value = values.complex(0.5, -2)}, dtypes = "real", error = "fill: value is complex and"},
        {{input = random {2}, value = 300}, dtypes = "int8 uint8", error = "fill: .*300"},
    },
    tanh_backward = {
        torch = "grad * (1 - output * output)",
        {{grad = random {2, 3}, output = random {2, 3, low = -0.9, high = 0.9}}},
        {{grad = random {67}, output = random {67, low = -0.9, high = 0.9}}},
        {{grad = random {}, output = random {}}},
        {{grad = random {0}, output = random {0}}},
    },
    sigmoid_backward = {
        torch = "grad * output * (1 - output)",
        {{grad = random {2, 3}, output = random {2, 3, low = 0.1, high = 0.9}}},
        {{grad = random {67}, output = random {67, low = 0.1, high = 0.9}}},
        {{grad = random {}, output = random {}}},
        {{grad = random {0}, output = random {0}}},
    },
    relu_backward = {
        torch = "torch.where(output > 0, grad, 0.0)",
        {{grad = random {2, 3}, output = random {2, 3}}},
        {{grad = random {67}, output = random {67}}},
        {{grad = random {}, output = random {}}},
        {{grad = random {0}, output = random {0}}},
    },
}

return samples
