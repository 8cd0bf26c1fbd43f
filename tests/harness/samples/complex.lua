--- Samples of the complex family.

local values = require "tests.harness.values"
local common = require "tests.harness.samples.common"

local random, literal, number = values.random, values.literal, values.number
local nan, inf = 0 / 0, math.huge

local axes = literal({0.0, 0.0, 0.0, 1.0, -1.0, 3.0}, {imag = {0.0, 1.0, -1.0, 0.0, 0.0, -4.0}})

return {
    view_as_real = {
        dtypes = "complex",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
        {{input = random {1, 1, 1, 1, 1, 1, 1, 2}}, error = "view_as_real: .*8 dims"},
    },
    view_as_complex = {
        dtypes = "wide",
        {{input = random {2, 3, 2}}, layouts = false},
        {{input = random {2}}, layouts = false},
        {{input = random {0, 2}}, layouts = false},
        {{input = random {2, 3}}, error = "view_as_complex: .*must be 2.*2x3"},
        {{input = random {}}, error = "view_as_complex: .*must be 2"},
    },
    complex = {
        dtypes = "int bool wide",
        torch = "complex_of(real, imag)",
        {{real = random {2, 3}, imag = random {2, 3}}},
        {{real = random {2, 1}, imag = random {3}}},
        {{real = random {}, imag = random {}}},
        {{real = random {0, 2}, imag = random {2}}},
        {{real = number(2), imag = random {3}}},
        {{real = random {3}, imag = number(0.5)}},
        {{real = random {2, 3}, imag = random {2}}, error = "complex: shapes 2x3 and 2"},
        {{real = random {2}, imag = random({2, dtype = "complex64"})},
            error = "complex: imag must be real, got complex64"},
    },
    polar = {
        dtypes = "wide",
        torch = "torch.polar(*torch.broadcast_tensors(abs, angle))",
        {{abs = random {2, 3, low = 0.5}, angle = random {2, 3}}},
        {{abs = random {2, 1, low = 0.5}, angle = random {3}}},
        {{abs = random {low = 0.5}, angle = random {}}},
        {{abs = random {0, low = 0.5}, angle = random {0}}},
        {{abs = random {2, 3}, angle = random {2}}, error = "polar: shapes 2x3 and 2"},
    },
    real = {
        dtypes = "all",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
        {{input = random {1, 2, 1, 1, 2, 1, 2, 1}}, grad = false},
    },
    imag = {
        dtypes = "complex",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
        {{input = random {1, 2, 1, 1, 2, 1, 2, 1}}, grad = false},
        {{input = random({2, 3, dtype = "float32"})}, error = "imag: .*float32"},
    },
    conj_physical = common.unary(),
    conj = {
        dtypes = "all",
        torch = "torch.conj_physical(input)",
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
    },
    resolve_conj = {dtypes = "all", {{input = random {2, 3}}}, {{input = random {}}}, {{input = random {0}}}},
    resolve_neg = {dtypes = "all", {{input = random {2, 3}}}, {{input = random {}}}, {{input = random {0}}}},
    angle = common.unary({}, {
        torch = "torch.angle(input)",
        {{input = axes}, dtypes = "complex", complex_grad = false},
    }),
    sgn = common.unary({}, {
        torch = "torch.sgn(input) if input.is_complex() else torch.where(torch.isnan(input), input, torch.sgn(input))",
        {{input = axes}, dtypes = "complex", complex_grad = false},
        {{input = literal {nan, inf, -inf, 0}}, dtypes = "float", grad = false},
    }),
    isreal = {
        dtypes = "all",
        no_grad = true,
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0, 2}}},
        {{input = axes}, dtypes = "complex"},
    },
}
