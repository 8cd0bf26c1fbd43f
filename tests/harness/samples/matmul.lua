--- Samples of the matrix products.

local values = require "tests.harness.values"

local random = values.random

local small = {-3, 3}

local function m(...)
    return random {ints = small, ...}
end

local nan = 0 / 0

return {
    mm = {
        torch = "torch.mm(input, mat2)",
        {{input = m(2, 3), mat2 = m(3, 4)}},
        {{input = m(1, 5), mat2 = m(5, 1)}},
        {{input = m(17, 33), mat2 = m(33, 19)}, second = false},
        {{input = m(2, 0), mat2 = m(0, 3)}},
        {{input = m(0, 3), mat2 = m(3, 2)}},
        {{input = m(2, 3), mat2 = m(4, 2)}, error = "mm: .*2x3.*4x2"},
        {{input = m(3), mat2 = m(3, 2)}, error = "mm: "},
        {{input = m(), mat2 = m()}, error = "mm: "},
    },
    bmm = {
        torch = "torch.bmm(input, mat2)",
        {{input = m(2, 2, 3), mat2 = m(2, 3, 4)}},
        {{input = m(1, 1, 1), mat2 = m(1, 1, 1)}},
        {{input = m(0, 2, 3), mat2 = m(0, 3, 4)}},
        {{input = m(2, 2, 0), mat2 = m(2, 0, 4)}},
        {{input = m(2, 2, 3), mat2 = m(3, 3, 4)}, error = "bmm: .*2x2x3.*3x3x4"},
        {{input = m(), mat2 = m()}, error = "bmm: "},
    },
    matmul_batched = {
        torch = "torch.matmul(input, mat2)",
        {{input = m(2, 3), mat2 = m(3, 2)}},
        {{input = m(2, 1, 2, 3), mat2 = m(4, 3, 2)}},
        {{input = m(3, 2, 4), mat2 = m(4, 3)}},
        {{input = m(2, 4), mat2 = m(3, 4, 2)}},
        {{input = m(0, 2, 3), mat2 = m(1, 3, 2)}},
        {{input = m(2, 2, 3), mat2 = m(3, 3, 2)}, error = "matmul"},
        {{input = m(), mat2 = m()}, error = "matmul"},
    },
    mv = {
        torch = "torch.mv(input, vec)",
        {{input = m(2, 3), vec = m(3)}},
        {{input = m(33, 19), vec = m(19)}, second = false},
        {{input = m(2, 0), vec = m(0)}},
        {{input = m(2, 3), vec = m(2)}, error = "mv: .*2x3"},
        {{input = m(), vec = m()}, error = "mv: "},
    },
    dot = {
        torch = "torch.dot(input, other)",
        {{input = m(3), other = m(3)}},
        {{input = m(67), other = m(67)}},
        {{input = m(0), other = m(0)}},
        {{input = m(3), other = m(2)}, error = "dot: "},
        {{input = m(), other = m()}, error = "dot: "},
    },
    outer = {
        dtypes = "number",
        torch = "torch.outer(input, vec2)",
        {{input = m(3), vec2 = m(4)}},
        {{input = m(0), vec2 = m(4)}},
        {{input = m(1), vec2 = m(67)}},
        {{input = m(), vec2 = m(2)}, error = "outer: "},
    },
    addmm = {
        torch = "addmm(input, mat1, mat2, beta, alpha)",
        {{input = m(2, 4), mat1 = m(2, 3), mat2 = m(3, 4)}},
        {{input = m(4), mat1 = m(2, 3), mat2 = m(3, 4)}},
        {{input = m(2, 1), mat1 = m(2, 3), mat2 = m(3, 4), beta = 2, alpha = 3}},
        {{input = m(), mat1 = m(2, 3), mat2 = m(3, 4), beta = 0.5, alpha = -0.25}, dtypes = "float"},
        {{input = values.literal({nan, nan}, {grad = false}), mat1 = m(1, 2), mat2 = m(2, 2), beta = 0},
            dtypes = "float", grad = false},
        {{input = m(3), mat1 = m(0, 2), mat2 = m(2, 3)}},
        {{input = m(2, 3), mat1 = m(2, 0), mat2 = m(0, 3)}},
        {{input = m(3), mat1 = m(2, 3), mat2 = m(3, 4)}, error = "addmm: "},
        {{input = m(4), mat1 = m(2, 3), mat2 = m(4, 4)}, error = "addmm: .*2x3.*4x4"},
    },
    matmul = {
        dtypes = "number",
        torch = "torch.matmul(input, other)",
        {{input = m(3), other = m(3)}},
        {{input = m(2, 3), other = m(3)}},
        {{input = m(3), other = m(3, 2)}},
        {{input = m(2, 3), other = m(3, 4)}},
        {{input = m(3), other = m(2, 3, 4)}},
        {{input = m(2, 3, 4), other = m(4)}},
        {{input = m(2, 3, 4), other = m(4, 2)}},
        {{input = m(3, 4), other = m(2, 4, 2)}},
        {{input = m(2, 1, 3, 2), other = m(4, 2, 3)}},
        {{input = m(5, 17, 40), other = m(40, 9)}, second = false},
        {{input = m(0, 3), other = m(3, 2)}},
        {{input = m(2, 0), other = m(0)}},
        {{input = m(), other = m(2)}, error = "matmul: both tensors must have a dim at least"},
        {{input = m(2, 3), other = m(2, 3)}, error = "matmul: .*2x3.*2x3"},
        {{input = m(2, 2, 3), other = m(3, 3, 2)}, error = "matmul: .*2x2x3.*3x3x2"},
    },
    linear = {
        torch = "linear(input, weight, bias)",
        {{input = m(2, 3), weight = m(4, 3)}},
        {{input = m(2, 3), weight = m(4, 3), bias = m(4)}},
        {{input = m(3), weight = m(4, 3), bias = m(4)}},
        {{input = m(2, 2, 3), weight = m(4, 3), bias = m(4)}},
        {{input = m(33, 17), weight = m(20, 17), bias = m(20)}, second = false},
        {{input = m(0, 3), weight = m(4, 3), bias = m(4)}},
        {{input = m(2, 0), weight = m(4, 0), bias = m(4)}},
        {{input = m(2, 3), weight = m(4, 2)}, error = "linear: .*2x3.*4x2"},
        {{input = m(2, 3), weight = m(4, 3), bias = m(3)}, error = "linear: bias.*4"},
        {{input = m(), weight = m(1, 1)}, error = "linear: "},
    },
    bilinear = {
        dtypes = "float",
        ulps = 8,
        rtol = 1e-5,
        torch = "torch.nn.functional.bilinear(input1, input2, weight, bias)",
        {{input1 = m(2, 3), input2 = m(2, 4), weight = m(5, 3, 4)}},
        {{input1 = m(2, 3), input2 = m(2, 4), weight = m(5, 3, 4), bias = m(5)}},
        {{input1 = m(2, 2, 3), input2 = m(2, 2, 1), weight = m(2, 3, 1), bias = m(2)}},
        {{input1 = m(3), input2 = m(2), weight = m(4, 3, 2)}},
        {{input1 = m(0, 3), input2 = m(0, 4), weight = m(5, 3, 4), bias = m(5)}},
        {{input1 = m(2, 3), input2 = m(3, 4), weight = m(5, 3, 4)},
            error = "bilinear: sizes do not fit: inputs 2x3 and"},
        {{input1 = m(2, 3), input2 = m(2, 4), weight = m(5, 3, 4), bias = m(4)},
            error = "bilinear: bias must be a vector"},
        {{input1 = m(), input2 = m(), weight = m(1, 1, 1)}, error = "bilinear: sizes do not fit"},
    },
}
