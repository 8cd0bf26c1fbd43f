--- Samples of linear algebra.

local matrices = require "tests.harness.matrices"
local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local regular, any, definite, upper = matrices.regular, matrices.any, matrices.definite, matrices.upper
local nan, inf = 0 / 0, math.huge

local function m(...)
    return random {ints = {-3, 3}, ...}
end

local singular = literal {{1.0, 2.0}, {2.0, 4.0}}
local batch_with_singular = literal {{{1.0, 2.0}, {0.0, 1.0}}, {{1.0, 2.0}, {2.0, 4.0}}}

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

--- Samples of what takes square matrices A and is differentiable everywhere on them.
local function square(name, make, extra)
    local list = {
        rtol = 1e-5,
        {{A = make(2, 3, 3)}},
        {{A = make(4, 4)}, layouts = "transposed"},
        {{A = make(2, 1, 2, 2)}},
        {{A = make(1, 1)}},
        {{A = random {0, 3, 3}}},
        {{A = random {2, 0, 0}}},
        {{A = random {2, 3}}, error = "" .. name .. ": expected square matrices, got 2x3"},
        {{A = random {}}, error = "" .. name .. ": expected matrices for A"},
    }
    for i, sample in ipairs(list) do
        -- One triangle is read, while the gradient is that of a symmetric matrix: linalg_spec takes the differences.
        sample.differences = make ~= definite or i == 4
    end
    for key, value in pairs(extra or {}) do
        if type(key) == "number" then
            list[#list + 1] = value
        else
            list[key] = value
        end
    end
    return list
end

local function singular_errors(name)
    return {
        {{A = singular}, error = "" .. name .. ": the matrix is singular"},
        {{A = batch_with_singular}, error = "" .. name .. ": matrix 2 of the batch is singular"},
    }
end

local function norm_samples(shapes)
    local list = {dtypes = "float complex", ulps = 2}
    for i, args in ipairs(shapes) do
        list[i] = args[1] and args or {args}
    end
    return list
end

-- The gradient of PyTorch's own cond is an error.
local by_norms = "torch.linalg.matrix_norm(A, p) * torch.linalg.matrix_norm(torch.linalg.inv(A), p)"

return {
    linalg_inv = square("linalg_inv", regular, with(singular_errors("linalg_inv"), {torch = "torch.linalg.inv(A)"})),
    inverse = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.inverse(input)",
        {{input = regular(2, 3, 3)}},
        {{input = random {2, 0, 0}}},
        {{input = singular}, error = "inverse: the matrix is singular"},
        {{input = random {}}, error = "inverse: expected matrices for A"},
    },
    linalg_inv_ex = square("linalg_inv_ex", regular, {
        torch = "torch.linalg.inv_ex(A)",
        {{A = singular, check_errors = true}, error = "linalg_inv_ex: the matrix is singular"},
    }),
    linalg_det = square("linalg_det", regular, {
        torch = "torch.linalg.det(A)",
        {{A = singular}, second = false, layouts = "transposed", complex_grad = false,
            torch = "A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]"},
    }),
    linalg_cofactor = square("linalg_cofactor", regular, {
        torch = "torch.linalg.det(A)[..., None, None] * torch.linalg.inv(A).mT",
    }),
    linalg_slogdet = square("linalg_slogdet", regular, {torch = "torch.linalg.slogdet(A)"}),
    solve_batched = {
        rtol = 1e-5,
        torch = "torch.linalg.solve(A, B)",
        {{A = regular(2, 3, 3), B = any(2, 3, 2)}},
        {{A = regular(3, 3), B = any(2, 3, 2)}, layouts = "sliced"},
        {{A = regular(2, 1, 3, 3), B = any(2, 3, 4)}},
        {{A = random {0, 3, 3}, B = random {3, 2}}, layouts = "sliced"},
        {{A = random {2, 0, 0}, B = random {2, 0, 3}}},
        {{A = regular(3, 3), B = random {3, 0}}, layouts = "sliced"},
        {{A = singular, B = random {2, 1}}, error = "solve_batched: the matrix is singular"},
        {{A = regular(2, 2), B = random {3, 1}}, error = "solve_batched: sizes do not fit: A 2x2 and B 3x1"},
        {{A = random {}, B = random {}}, error = "solve_batched: expected matrices for A"},
    },
    linalg_solve = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.solve(A, B, left=left)",
        {{A = regular(2, 3, 3), B = any(2, 2, 3), left = false}},
        {{A = regular(3, 3), B = random {3}}, layouts = "sliced"},
        {{A = regular(2, 3, 3), B = random {2, 3}}},
        {{A = regular(2, 1, 2, 2), B = any(2, 2, 3)}},
        {{A = random {0, 3, 3}, B = random {0, 3, 2}}},
        {{A = batch_with_singular, B = random {2, 2}}, error = "linalg_solve: matrix 2 of the batch is singular"},
        {{A = random {}, B = random {}}, error = "linalg_solve: expected matrices for A"},
    },
    solve_triangular_batched = {
        rtol = 1e-5,
        torch = "torch.linalg.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)",
        {{A = regular(2, 3, 3), B = any(2, 3, 2), upper = true}},
        {{A = regular(2, 3, 3), B = any(3, 2), upper = false}},
        {{A = regular(3, 3), B = any(3, 2), upper = true, unitriangular = true}, layouts = "sliced"},
        {{A = random {2, 0, 0}, B = random {2, 0, 3}, upper = true}},
        {{A = literal {{1.0, 2.0}, {0.0, 0.0}}, B = random {2, 1}, upper = true},
            error = "solve_triangular_batched: the matrix is singular"},
        {{A = random {}, B = random {}, upper = true}, error = "solve_triangular_batched: expected matrices for A"},
    },
    linalg_solve_triangular = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.solve_triangular(A, B, upper=upper, left=left, unitriangular=unitriangular)",
        {{A = regular(2, 3, 3), B = any(2, 3, 2), upper = true}},
        {{A = regular(2, 3, 3), B = any(2, 2, 3), upper = false, left = false}},
        {{A = regular(2, 3, 3), B = any(2, 2, 3), upper = true, left = false, unitriangular = true}},
        {{A = random {2, 0, 0}, B = random {2, 0, 3}, upper = true}},
        {{A = random {}, B = random {}, upper = true}, error = "linalg_solve_triangular: expected matrices for A"},
    },
    -- PyTorch's gradient in complex128 is not that of a matrix equal to its adjoint: linalg_spec takes the differences.
    linalg_cholesky = square("linalg_cholesky", definite, {
        complex_grad = false,
        torch = "torch.linalg.cholesky(A, upper=upper)",
        {{A = definite(2, 3, 3), upper = true}, differences = false},
        {{A = literal {{1.0, 2.0}, {2.0, 1.0}}}, error = "linalg_cholesky: the matrix is not positive definite"},
        {{A = literal {{nan, 2.0}, {2.0, 1.0}}}, error = "linalg_cholesky: the matrix is not positive definite"},
    }),
    linalg_qr = {
        rtol = 1e-5,
        torch = "torch.linalg.qr(A, mode)",
        {{A = any(2, 4, 3)}},
        {{A = any(2, 3, 3)}},
        {{A = any(2, 2, 4)}},
        {{A = any(3, 2), mode = "complete"}, grad = false, layouts = "sliced"},
        {{A = any(2, 2, 3), mode = "complete"}},
        {{A = any(2, 3, 2), mode = "r"}, grad = false},
        {{A = random {3, 0}}},
        {{A = random {2, 0, 3}}},
        {{A = random {}}, error = "linalg_qr: expected matrices for A"},
        {{A = any(2, 2), mode = "half"}, error = "linalg_qr: mode must be"},
    },
    -- PyTorch refuses gradients that depend on phases: linalg_spec takes the differences of what does not.
    linalg_svd = {
        rtol = 1e-5,
        complex_grad = false,
        torch = "signed_svd(A, full_matrices)",
        {{A = any(2, 4, 3), full_matrices = false}},
        {{A = any(2, 3, 3)}},
        {{A = any(2, 2, 4), full_matrices = false}},
        {{A = random {0, 3}}},
        {{A = random {2, 3, 0}, full_matrices = false}},
        {{A = literal {{nan, 1.0}, {1.0, 1.0}}}, error = "linalg_svd: the matrix holds nan or inf"},
        {{A = random {}}, error = "linalg_svd: expected matrices for A"},
    },
    linalg_svdvals = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.svdvals(A)",
        {{A = any(2, 4, 3)}},
        {{A = any(3, 5)}, layouts = "transposed"},
        {{A = random {2, 0, 3}}},
        {{A = random {}}, error = "linalg_svdvals: expected matrices for A"},
    },
    linalg_eigh = square("linalg_eigh", definite, {
        torch = "signed_vectors(torch.linalg.eigh(A, UPLO))",
        complex_grad = false,
        {{A = any(2, 3, 3), UPLO = "U"}, differences = false},
        {{A = literal {{inf, 1.0}, {1.0, 1.0}}}, error = "linalg_eigh: the matrix holds nan or inf"},
        {{A = definite(2, 2), UPLO = "X"}, error = "linalg_eigh: expected \"L\" or \"U\""},
    }),
    linalg_eigvalsh = square("linalg_eigvalsh", definite, {
        dtypes = "wide complex",
        torch = "torch.linalg.eigvalsh(A, UPLO)",
    }),
    linalg_eig = square("linalg_eig", upper, {
        torch = "real_eig(A)",
        complex_grad = false,
        {{A = literal {{0.0, 1.0}, {-1.0, 0.0}}}, grad = false, layouts = false,
            torch = "signed_vectors(torch.linalg.eig(A))"},
        {{A = literal {{nan, 1.0}, {-1.0, 0.0}}}, error = "linalg_eig: the matrix holds nan or inf"},
    }),
    linalg_eigvals = square("linalg_eigvals", upper, {dtypes = "wide complex", torch = "torch.linalg.eigvals(A)"}),
    pinv_batched = {
        rtol = 1e-5,
        torch = "torch.linalg.pinv(A, atol=atol, rtol=rtol)",
        {{A = any(2, 4, 3)}},
        {{A = any(2, 2, 3)}},
        {{A = any(2, 3, 3), rtol = 1e-3}},
        {{A = singular}, grad = false, layouts = "transposed"},
        {{A = random {2, 0, 3}}},
        {{A = literal {{nan, 1.0}}}, error = "pinv_batched: the matrix holds nan or inf"},
        {{A = random {}}, error = "pinv_batched: expected matrices for A"},
    },
    linalg_pinv = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.pinv(A, atol=atol, rtol=rtol, hermitian=hermitian)",
        {{A = any(2, 4, 3)}},
        {{A = any(2, 4, 3), atol = 0.5}},
        {{A = definite(2, 3, 3), hermitian = true}, grad = false},
        {{A = random {2, 0, 3}}},
        {{A = random {}}, error = "linalg_pinv: expected matrices for A"},
        {{A = random {2, 3}, hermitian = true}, error = "linalg_pinv: expected square matrices, got 2x3"},
    },
    pinverse = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.pinverse(input, rcond)",
        {{input = any(2, 4, 3)}},
        {{input = any(2, 4, 3), rcond = 0.01}},
        {{input = random {2, 0, 3}}},
        {{input = random {}}, error = "pinverse: expected matrices for A"},
    },
    linalg_matrix_rank = {
        dtypes = "wide complex",
        no_grad = true,
        torch = "torch.linalg.matrix_rank(A, atol=atol, rtol=rtol, hermitian=hermitian)",
        {{A = any(2, 4, 3)}},
        {{A = singular}},
        {{A = any(2, 3, 3), atol = 1.5}},
        {{A = any(2, 3, 3), rtol = 0.5}},
        {{A = definite(2, 3, 3), hermitian = true}},
        {{A = random {2, 0, 3}}},
        {{A = random {}}, error = "linalg_matrix_rank: expected matrices for A"},
    },
    lstsq_batched = {
        rtol = 1e-5,
        torch = "(lambda r: (r[0], r[2]))(torch.linalg.lstsq(A, B, rcond=rcond, " ..
            "driver='gelsd' if svd else 'gelsy'))",
        {{A = random {2, 4, 3}, B = random {2, 4, 2}, rcond = 1e-6, svd = true}},
        {{A = any(2, 4, 3), B = random {2, 4, 2}, rcond = 1e-6, svd = false}},
        {{A = any(2, 2, 3), B = random {2, 2, 2}, rcond = 1e-6, svd = true}},
        {{A = random {0, 3, 2}, B = random {0, 3, 1}, rcond = 1e-6, svd = true}},
        {{A = random {3, 2}, B = random {2, 1}, rcond = 1e-6, svd = true}, error = "expected A and B of"},
        {{A = random {}, B = random {}, rcond = 1e-6, svd = true}, error = "lstsq_batched: expected matrices for A"},
    },
    linalg_lstsq = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "(lambda r: (*r[:3], torch.linalg.svdvals(A) if driver else r[3]))(" ..
            "torch.linalg.lstsq(A, B, rcond=rcond, driver=driver))",
        {{A = any(2, 4, 3), B = random {2, 4, 2}, driver = "gelsd"}},
        {{A = any(4, 3), B = random {4, 2}, driver = "gelsd"}, layouts = "sliced"},
        {{A = any(2, 2, 3), B = any(2, 2, 2)}},
        {{A = any(2, 3, 3), B = random {2, 3}}},
        {{A = random {0, 3, 3}, B = random {0, 3, 1}}},
        {{A = random {}, B = random {}}, error = "linalg_lstsq: expected matrices for A"},
        {{A = random {3, 2}, B = random {3, 1}, driver = "qr"}, error = "linalg_lstsq: driver must be"},
        {{A = literal {{nan}, {1.0}}, B = random {2, 1}}, error = "linalg_lstsq: the matrix holds nan or inf"},
    },
    linalg_vector_norm = with(norm_samples {
        {x = random {2, 3}},
        {x = random {2, 3}, ord = 1},
        {x = random {2, 3}, ord = 3, dim = 2},
        {x = random {2, 3, 2}, ord = 2, dim = {1, 3}, keepdim = true},
        {x = random {2, 3}, ord = inf, dim = 1},
        {x = random {2, 3, distinct = true}, ord = -inf},
        {{x = literal {1.0, 0.0, 2.0}, ord = 0}, grad = false},
        {x = random {4, low = 0.5, high = 3}, ord = 0.5},
        {x = random {4, low = 0.5, high = 3}, ord = -2},
        {{x = literal {0.0, 0.0}}, differences = false},
        {x = random {}},
        {x = random {2, 0}, dim = 2},
        {{x = random {2, 3}, dtype = "float64"}, dtypes = "float"},
        {{x = random {2}, ord = nan}, error = "linalg_vector_norm: ord must be a number"},
    }, {torch = "torch.linalg.vector_norm(x, ord, dim, keepdim, dtype=dtype)"}),
    linalg_matrix_norm = with(norm_samples {
        {A = any(2, 3, 4)},
        {A = any(2, 3, 4), keepdim = true},
        {{A = any(2, 3, 4), ord = "nuc"}, dtypes = "wide complex", rtol = 1e-5},
        {{A = any(2, 3, 4), ord = "nuc", dim = {3, 1}, keepdim = true}, dtypes = "wide complex", rtol = 1e-5},
        {A = random {2, 0, 3}},
        {{A = random {}}, error = "linalg_matrix_norm: expected matrices"},
        {{A = random {2, 2}, ord = "max"}, error = "linalg_matrix_norm: ord must be"},
    }, {torch = "torch.linalg.matrix_norm(A, ord, dim or (-2, -1), keepdim, dtype=dtype)"}),
    linalg_matrix_norm__number = with(norm_samples {
        {A = any(2, 3, 4), ord = 1},
        {A = any(2, 3, 4), ord = -1, keepdim = true},
        {A = random {2, 3, 4}, ord = inf, dim = {1, 3}},
        {A = any(2, 3, 4), ord = -inf, dim = {3, 1}},
        {{A = any(2, 3, 4), ord = 2}, dtypes = "wide complex", rtol = 1e-5},
        {{A = any(2, 3, 4), ord = -2, keepdim = true}, dtypes = "wide complex", rtol = 1e-5},
        {A = random {0, 2, 3}, ord = 1},
        {{A = random {}, ord = 1}, error = "linalg_matrix_norm: expected matrices"},
        {{A = random {2, 2}, ord = 3}, error = "linalg_matrix_norm: ord must be"},
    }, {torch = "torch.linalg.matrix_norm(A, ord, dim or (-2, -1), keepdim, dtype=dtype)"}),
    linalg_norm = with(norm_samples {
        {A = any(2, 3, 4)},
        {A = random {3}, ord = 3},
        {A = any(3, 4), ord = 1},
        {A = any(2, 3, 4), ord = 3, dim = {2}},
        {A = random {2, 3, 4}, ord = inf, dim = {1, 3}, keepdim = true},
        {A = random {}},
        {A = random {0}},
        {{A = any(2, 3, 4), ord = 1}, error = "linalg_norm: with ord"},
    }, {torch = "torch.linalg.norm(A, ord, dim, keepdim, dtype=dtype)"}),
    linalg_norm__name = with(norm_samples {
        {A = any(3, 4), ord = "fro"},
        {A = any(2, 3, 4), ord = "fro", dim = {1, 2}},
        {{A = any(3, 4), ord = "nuc"}, dtypes = "wide complex", rtol = 1e-5, layouts = "sliced"},
        {A = random {0, 3}, ord = "fro"},
        {{A = random {}, ord = "fro"}, error = "linalg_norm: expected a matrix"},
    }, {torch = "torch.linalg.norm(A, ord, dim, keepdim, dtype=dtype)"}),
    linalg_cond = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.cond(A, p)",
        {{A = any(2, 4, 3)}},
        {{A = regular(2, 3, 3), p = -2}},
        {{A = regular(2, 3, 3), p = 1}, torch = by_norms},
        {{A = regular(2, 3, 3), p = -inf}, torch = by_norms},
        {{A = singular, p = 1}, grad = false},
        {{A = random {2, 0, 0}, p = 1}},
        {{A = random {2, 3}, p = 1}, error = "linalg_cond: expected square matrices"},
        {{A = random {}}, error = "linalg_cond: expected matrices for A"},
    },
    linalg_cond__name = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.linalg.cond(A, p)",
        {{A = regular(2, 3, 3), p = "fro"}, torch = by_norms},
        {{A = regular(2, 3, 3), p = "nuc"}, torch = by_norms},
        {{A = random {2, 0, 0}, p = "fro"}},
        {{A = random {}, p = "fro"}, error = "linalg_cond: expected square matrices"},
        {{A = regular(2, 2), p = "max"}, error = "linalg_cond: ord must be"},
    },
    linalg_matrix_power = {
        dtypes = "wide int32 complex",
        rtol = 1e-5,
        torch = "torch.linalg.matrix_power(A, n)",
        {{A = m(2, 3, 3), n = 5}, second = false},
        {{A = m(2, 3, 3), n = 1}},
        {{A = regular(2, 3, 3), n = -1}, dtypes = "wide complex"},
        {{A = random {2, 0, 0}, n = 2}},
        {{A = random {2, 3}, n = 2}, error = "linalg_matrix_power: expected square matrices, got 2x3"},
        {{A = random {}, n = 1}, error = "linalg_matrix_power: expected matrices for A"},
    },
    matrix_power = {
        dtypes = "wide int32 complex",
        rtol = 1e-5,
        torch = "torch.matrix_power(input, n)",
        {{input = m(2, 3, 3), n = 3}},
        {{input = m(2, 3, 3), n = 0}},
        {{input = regular(2, 3, 3), n = -2}, dtypes = "wide complex"},
        {{input = random {2, 0, 0}, n = 5}},
        {{input = random {}, n = 1}, error = "matrix_power: expected matrices for A"},
    },
    linalg_matrix_exp = square("linalg_matrix_exp", any, {
        torch = "torch.linalg.matrix_exp(A)",
        {{A = literal {{30.0, 1.0}, {2.0, -40.0}}}, second = false, layouts = "transposed"},
        {{A = literal {{nan, 1.0}, {2.0, 1.0}}}, grad = false,
            torch = "torch.full((2, 2), complex('nan+nanj') if A.is_complex() else float('nan'), dtype=A.dtype)"},
    }),
    matrix_exp = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.matrix_exp(input)",
        {{input = any(2, 3, 3)}},
        {{input = random {0, 2, 2}}},
        {{input = random {}}, error = "matrix_exp: expected matrices for A"},
    },
    det = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.det(input)",
        {{input = regular(2, 3, 3)}},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "det: expected matrices for A"},
    },
    logdet = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.logdet(input)",
        {{input = regular(2, 3, 3)}},
        {{input = literal {{0.0, 1.0}, {1.0, 0.0}}}, grad = false},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "logdet: expected matrices for A"},
    },
    slogdet = {
        dtypes = "wide complex",
        rtol = 1e-5,
        torch = "torch.slogdet(input)",
        {{input = regular(2, 3, 3)}},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "slogdet: expected matrices for A"},
    },
}
