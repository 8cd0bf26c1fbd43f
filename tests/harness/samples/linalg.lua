--- Samples of linear algebra.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local nan, inf = 0 / 0, math.huge

local function m(...)
    return random {ints = {-3, 3}, ...}
end

local function element(seed, i, j)
    return ((7 * i + 13 * j * j + 5 * seed + 3 * i * j) % 17 - 8) / 8.0
end

--- A literal of shape (..., rows, columns) whose element is f(seed, i, j); each matrix has a seed of its own.
local function matrices(f, shape, depth, seed)
    depth, seed = depth or 1, seed or 1
    local list = {}
    for k = 1, shape[depth] do
        if depth == #shape - 1 then
            list[k] = {}
            for j = 1, shape[depth + 1] do
                list[k][j] = f(seed, k, j)
            end
        else
            list[k] = matrices(f, shape, depth + 1, seed * 3 + k)
        end
    end
    return list
end

--- Matrices with a small condition number.
local function regular(...)
    return literal(matrices(function(seed, i, j)
        return element(seed, i, j) + (i == j and 2.5 + 0.75 * i or 0)
    end, {...}))
end

--- Matrices whose columns differ in length, in no special position to each other.
local function any(...)
    return literal(matrices(function(seed, i, j)
        return element(seed, i, j) + (i == j and 1.5 * i or 0)
    end, {...}))
end

--- Symmetric positive definite matrices.
local function definite(...)
    return literal(matrices(function(seed, i, j)
        return element(seed, i, j) + element(seed, j, i) + (i == j and 6.0 + i or 0)
    end, {...}))
end

--- Upper triangular matrices: real eigenvalues.
local function upper(...)
    return literal(matrices(function(seed, i, j)
        return i == j and 1.5 * i or i < j and element(seed, i, j) or 0.0
    end, {...}))
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
    local list = {dtypes = "float", ulps = 2}
    for i, args in ipairs(shapes) do
        list[i] = args[1] and args or {args}
    end
    return list
end

local function triangles(torch)
    return {
        torch = torch,
        {{input = m(3, 4)}},
        {{input = m(2, 4, 3), diagonal = 1}},
        {{input = m(2, 3, 3), diagonal = -1}},
        {{input = m(3, 4), diagonal = 9}},
        {{input = m(3, 4), diagonal = -9}},
        {{input = m(2, 0, 3)}},
        {{input = m(3, 0)}},
        {{input = m()}, error = "tri[lu]: expected matrices for input, got scalar"},
    }
end

-- The gradient of PyTorch's own cond is an error.
local by_norms = "torch.linalg.matrix_norm(A, p) * torch.linalg.matrix_norm(torch.linalg.inv(A), p)"

return {
    diagonal = {
        torch = "torch.diagonal(input, offset, dim1, dim2)",
        {{input = m(3, 4)}},
        {{input = m(3, 4), offset = 1}},
        {{input = m(4, 3), offset = -2}},
        {{input = m(2, 3, 4), dim1 = 3, dim2 = 1}},
        {{input = m(2, 3, 4), offset = -1, dim1 = -2, dim2 = -1}},
        {{input = m(2, 3), offset = 7}},
        {{input = m(0, 3)}},
        {{input = m(3)}, error = "diagonal: dim2"},
        {{input = m()}, error = "diagonal: "},
        {{input = m(2, 3), dim1 = 2, dim2 = -1}, error = "diagonal: .*the same dim twice"},
    },
    diag_embed = {
        dtypes = "all",
        torch = "torch.diag_embed(input, offset, dim1, dim2)",
        {{input = m(3)}},
        {{input = m(2, 3), offset = 1}},
        {{input = m(2, 3), offset = -2, dim1 = 1, dim2 = 3}},
        {{input = m(2, 3), dim1 = 3, dim2 = 1}},
        {{input = m(2, 0)}},
        {{input = m()}, error = "diag_embed: "},
        {{input = m(2), dim1 = 2, dim2 = 2}, error = "diag_embed: dim1 and dim2 must be different"},
    },
    diag = {
        dtypes = "all",
        torch = "torch.diag(input, diagonal)",
        {{input = m(3)}},
        {{input = m(3), diagonal = -1}},
        {{input = m(3, 4)}},
        {{input = m(3, 4), diagonal = 2}},
        {{input = m(0)}},
        {{input = m()}, error = "diag: input must be a vector or a matrix, got scalar"},
    },
    trace = {
        dtypes = "real",
        ulps = 2,
        torch = "torch.trace(input)",
        {{input = m(3, 3)}},
        {{input = m(3, 5)}},
        {{input = m(0, 5)}},
        {{input = m()}, error = "trace: input must be a matrix"},
    },
    tril = triangles("torch.tril(input, diagonal)"),
    triu = triangles("torch.triu(input, diagonal)"),
    inner = {
        dtypes = "real",
        torch = "torch.inner(input, other)",
        {{input = m(3), other = m(3)}},
        {{input = m(2, 3), other = m(4, 3)}},
        {{input = m(2, 2, 3), other = m(3)}},
        {{input = m(), other = m(3)}},
        {{input = m(2, 0), other = m(0)}},
        {{input = m(2, 3), other = m(2, 4)}, error = "inner: sizes do not fit: 2x3 and 2x4"},
    },
    tensordot = {
        dtypes = "real",
        torch = "torch.tensordot(input, other, dims)",
        {{input = m(2, 3, 4), other = m(3, 4, 2)}},
        {{input = m(2, 3), other = m(3, 4), dims = 1}},
        {{input = m(2), other = m(3), dims = 0}},
        {{input = m(), other = m(3), dims = 0}},
        {{input = m(2, 0), other = m(0, 3), dims = 1}},
        {{input = m(2, 3), other = m(3, 2)}, error = "tensordot: sizes do not fit"},
        {{input = m(2, 3), other = m(3, 2), dims = 3}, error = "tensordot: dims must be from 0"},
    },
    tensordot__dims = {
        dtypes = "real",
        torch = "torch.tensordot(input, other, dims=([d - 1 if d > 0 else d for d in dims_self], " ..
            "[d - 1 if d > 0 else d for d in dims_other]))",
        {{input = m(2, 3, 4), other = m(4, 2, 3), dims_self = {1, 3}, dims_other = {2, 1}}},
        {{input = m(2, 3), other = m(4, 3), dims_self = {-1}, dims_other = {-1}}},
        {{input = m(2, 0), other = m(0, 3), dims_self = {2}, dims_other = {1}}},
        {{input = m(), other = m(2), dims_self = {1}, dims_other = {1}}, error = "tensordot: dims_self"},
        {{input = m(2, 3), other = m(2, 3), dims_self = {1, 1}, dims_other = {1, 2}},
            error = "tensordot: dims_self names dim 1 twice"},
        {{input = m(2, 3), other = m(2, 3), dims_self = {1}, dims_other = {2}}, error = "tensordot: sizes"},
    },
    kron = {
        dtypes = "real",
        torch = "torch.kron(input, other)",
        {{input = m(2, 3), other = m(3, 2)}},
        {{input = m(2), other = m(3, 2)}},
        {{input = m(), other = m(3)}},
        {{input = m(0, 2), other = m(3)}},
        {{input = m(1, 1, 1, 1, 2), other = m(2)}, error = "kron: tensors may have up to 4 dims"},
    },
    linalg_cross = {
        dtypes = "float signed",
        ulps = 4,
        torch = "torch.linalg.cross(input, other, dim=dim)",
        {{input = m(2, 3), other = m(2, 3)}},
        {{input = m(3, 1, 2), other = m(3, 4, 1), dim = 1}},
        {{input = m(0, 3), other = m(0, 3)}},
        {{input = m(2, 2), other = m(2, 2)}, error = "linalg_cross: both tensors must have 3 elements"},
        {{input = m(), other = m()}, error = "linalg_cross: "},
    },
    cross = {
        dtypes = "float signed",
        ulps = 4,
        torch = "torch.cross(input, other, dim=dim)",
        {{input = m(2, 3), other = m(2, 3)}},
        {{input = m(3, 3), other = m(3, 3)}},
        {{input = m(3, 2), other = m(3, 2), dim = 1}},
        {{input = m(0, 3), other = m(0, 3)}},
        {{input = m(2, 2), other = m(2, 2)}, error = "cross: both tensors must have 3 elements"},
        {{input = m(), other = m()}, error = "cross: "},
    },
    cdist = {
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.cdist(x1, x2, p)",
        {{x1 = m(2, 3), x2 = m(4, 3)}},
        {{x1 = m(2, 2, 3), x2 = m(1, 4, 3), p = 1}},
        {{x1 = m(2, 3), x2 = m(4, 3), p = 3}},
        {{x1 = m(2, 3), x2 = m(4, 3), p = inf}},
        {{x1 = m(2, 3), x2 = m(4, 3), p = 0}, grad = false},
        {{x1 = m(30, 6), x2 = random {3, 6, low = 4, high = 7}}, second = false},
        {{x1 = m(0, 3), x2 = m(4, 3)}},
        {{x1 = m(), x2 = m()}, error = "cdist: x1 and x2 must be"},
        {{x1 = m(2, 3), x2 = m(2, 3), p = -1}, error = "cdist: p must be 0 or more"},
    },
    addmv = {
        dtypes = "real",
        ulps = 4,
        torch = "torch.addmv(input, mat, vec, beta=beta, alpha=alpha)",
        {{input = m(2), mat = m(2, 3), vec = m(3)}},
        {{input = m(), mat = m(2, 3), vec = m(3), beta = 2, alpha = 3}},
        {{input = m(2), mat = m(2, 0), vec = m(0)}},
        {{input = literal({nan, nan}, {grad = false}), mat = m(2, 3), vec = m(3), beta = 0}, dtypes = "float",
            grad = false},
        {{input = m(3), mat = m(2, 3), vec = m(3)}, error = "addmv: input of shape 3 does not broadcast"},
    },
    addr = {
        dtypes = "real",
        ulps = 4,
        torch = "torch.addr(input, vec1, vec2, beta=beta, alpha=alpha)",
        {{input = m(2, 3), vec1 = m(2), vec2 = m(3)}},
        {{input = m(), vec1 = m(2), vec2 = m(3), beta = 2, alpha = 3}},
        {{input = m(1), vec1 = m(0), vec2 = m(3)}},
        {{input = m(4), vec1 = m(2), vec2 = m(3)}, error = "addr: input of shape 4 does not broadcast"},
    },
    baddbmm = {
        dtypes = "real",
        ulps = 4,
        torch = "torch.baddbmm(input, batch1, batch2, beta=beta, alpha=alpha)",
        {{input = m(2, 3, 2), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2)}},
        {{input = m(), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2), beta = 2, alpha = 3}},
        {{input = m(2), batch1 = m(0, 3, 4), batch2 = m(0, 4, 2)}},
        {{input = m(3), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2)}, error = "baddbmm: input of shape 3"},
    },
    addbmm = {
        dtypes = "real",
        ulps = 8,
        torch = "torch.addbmm(input, batch1, batch2, beta=beta, alpha=alpha)",
        {{input = m(3, 2), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2)}},
        {{input = m(), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2), beta = 2, alpha = 3}},
        {{input = m(2), batch1 = m(0, 3, 4), batch2 = m(0, 4, 2)}},
        {{input = m(3), batch1 = m(2, 3, 4), batch2 = m(2, 4, 2)}, error = "addbmm: input of shape 3"},
    },
    einsum = {
        dtypes = "wide int32 int64",
        rtol = 1e-5,
        torch = "torch.einsum(equation, *operands)",
        {{equation = "ij,jk->ik", operands = {m(2, 3), m(3, 4)}}},
        {{equation = "ij,jk", operands = {m(2, 3), m(3, 4)}}},
        {{equation = "ba", operands = {m(2, 3)}}},
        {{equation = "ii", operands = {m(3, 3)}}, dtypes = "wide int64"},
        {{equation = "ii->i", operands = {m(3, 3)}}},
        {{equation = "iij->ji", operands = {m(3, 3, 2)}}},
        {{equation = "i,j->ij", operands = {m(3), m(2)}}},
        {{equation = " b i j , b j k -> b i k ", operands = {m(2, 2, 3), m(2, 3, 2)}}},
        {{equation = "...ij,...jk->...ik", operands = {m(2, 1, 2, 3), m(3, 3, 2)}}},
        {{equation = "...i,i", operands = {m(2, 3), m(3)}}},
        {{equation = "ab,bc,cd,de->ae", operands = {m(2, 3), m(3, 4), m(4, 2), m(2, 3)}}},
        {{equation = "ab,ab,ab->", operands = {m(2, 3), m(2, 3), m(2, 3)}}, dtypes = "wide int64"},
        {{equation = "bn,anm,bm->ba", operands = {m(2, 3), m(4, 3, 2), m(2, 2)}}},
        {{equation = "a,b,c,d,e,f,g,h,i->", operands = {m(2), m(2), m(2), m(2), m(2), m(2), m(2), m(2), m(2)}},
            second = false, dtypes = "wide int64"},
        {{equation = "ij->", operands = {m(2, 3)}}, dtypes = "wide int64"},
        {{equation = ",i->i", operands = {m(), m(2)}}},
        {{equation = "ij,jk->ik", operands = {m(2, 0), m(0, 4)}}},
        {{equation = "ij,jk->ik", operands = {m(2, 3), m(4, 2)}}, error = "einsum: operand 2 has size 4"},
        {{equation = "ij->k", operands = {m(2, 3)}}, error = "einsum: a letter behind"},
        {{equation = "ij->ii", operands = {m(2, 3)}}, error = "einsum: a letter behind"},
        {{equation = "ij", operands = {m(2)}}, error = "einsum: operand 1 has 1 dims %(2%), but 2 letters"},
        {{equation = "i,j", operands = {m(2)}}, error = "einsum: equation \"i,j\" does not name 1 operand$"},
        {{equation = "i?", operands = {m(2)}}, error = "einsum: equation may have letters"},
    },
    linalg_multi_dot = {
        dtypes = "wide int32",
        rtol = 1e-5,
        torch = "torch.linalg.multi_dot(tensors)",
        {{tensors = {m(2, 3), m(3, 4)}}},
        {{tensors = {m(2, 5), m(5, 1), m(1, 3), m(3, 4)}}},
        {{tensors = {m(3), m(3, 4), m(4)}}},
        {{tensors = {m(2, 0), m(0, 3), m(3)}}},
        {{tensors = {m(), m(2)}}, error = "linalg_multi_dot: tensor 1 must be a matrix or a vector, got scalar"},
        {{tensors = {m(2, 3)}}, error = "linalg_multi_dot: expected 2 to 64 tensors, got 1"},
        {{tensors = {m(2, 3), m(2, 3)}}, error = "linalg_multi_dot: tensors 1 and 2 do not fit: 2x3 and 2x3"},
    },
    linalg_inv = square("linalg_inv", regular, with(singular_errors("linalg_inv"), {torch = "torch.linalg.inv(A)"})),
    inverse = {
        dtypes = "wide",
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
        {{A = singular}, second = false, layouts = "transposed", torch = "A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]"},
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
        dtypes = "wide",
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
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.linalg.solve_triangular(A, B, upper=upper, left=left, unitriangular=unitriangular)",
        {{A = regular(2, 3, 3), B = any(2, 3, 2), upper = true}},
        {{A = regular(2, 3, 3), B = any(2, 2, 3), upper = false, left = false}},
        {{A = regular(2, 3, 3), B = any(2, 2, 3), upper = true, left = false, unitriangular = true}},
        {{A = random {2, 0, 0}, B = random {2, 0, 3}, upper = true}},
        {{A = random {}, B = random {}, upper = true}, error = "linalg_solve_triangular: expected matrices for A"},
    },
    linalg_cholesky = square("linalg_cholesky", definite, {
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
    linalg_svd = {
        rtol = 1e-5,
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
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.linalg.svdvals(A)",
        {{A = any(2, 4, 3)}},
        {{A = any(3, 5)}, layouts = "transposed"},
        {{A = random {2, 0, 3}}},
        {{A = random {}}, error = "linalg_svdvals: expected matrices for A"},
    },
    linalg_eigh = square("linalg_eigh", definite, {
        torch = "signed_vectors(torch.linalg.eigh(A, UPLO))",
        {{A = any(2, 3, 3), UPLO = "U"}, differences = false},
        {{A = literal {{inf, 1.0}, {1.0, 1.0}}}, error = "linalg_eigh: the matrix holds nan or inf"},
        {{A = definite(2, 2), UPLO = "X"}, error = "linalg_eigh: expected \"L\" or \"U\""},
    }),
    linalg_eigvalsh = square("linalg_eigvalsh", definite, {dtypes = "wide", torch = "torch.linalg.eigvalsh(A, UPLO)"}),
    linalg_eig = square("linalg_eig", upper, {
        torch = "signed_vectors([r.real for r in torch.linalg.eig(A)])",
        {{A = literal {{0.0, 1.0}, {-1.0, 0.0}}}, error = "linalg_eig: the matrix has complex eigenvalues"},
        {{A = literal {{nan, 1.0}, {-1.0, 0.0}}}, error = "linalg_eig: the matrix holds nan or inf"},
    }),
    linalg_eigvals = square("linalg_eigvals", upper, {dtypes = "wide", torch = "torch.linalg.eigvals(A).real"}),
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
        dtypes = "wide",
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
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.pinverse(input, rcond)",
        {{input = any(2, 4, 3)}},
        {{input = any(2, 4, 3), rcond = 0.01}},
        {{input = random {2, 0, 3}}},
        {{input = random {}}, error = "pinverse: expected matrices for A"},
    },
    linalg_matrix_rank = {
        dtypes = "wide",
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
        dtypes = "wide",
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
        {x = random {2, 3}, dtype = "float64"},
        {{x = random {2}, ord = nan}, error = "linalg_vector_norm: ord must be a number"},
    }, {torch = "torch.linalg.vector_norm(x, ord, dim, keepdim, dtype=dtype)"}),
    linalg_matrix_norm = with(norm_samples {
        {A = any(2, 3, 4)},
        {A = any(2, 3, 4), keepdim = true},
        {{A = any(2, 3, 4), ord = "nuc"}, dtypes = "wide", rtol = 1e-5},
        {{A = any(2, 3, 4), ord = "nuc", dim = {3, 1}, keepdim = true}, dtypes = "wide", rtol = 1e-5},
        {A = random {2, 0, 3}},
        {{A = random {}}, error = "linalg_matrix_norm: expected matrices"},
        {{A = random {2, 2}, ord = "max"}, error = "linalg_matrix_norm: ord must be"},
    }, {torch = "torch.linalg.matrix_norm(A, ord, dim or (-2, -1), keepdim, dtype=dtype)"}),
    linalg_matrix_norm__number = with(norm_samples {
        {A = any(2, 3, 4), ord = 1},
        {A = any(2, 3, 4), ord = -1, keepdim = true},
        {A = random {2, 3, 4}, ord = inf, dim = {1, 3}},
        {A = any(2, 3, 4), ord = -inf, dim = {3, 1}},
        {{A = any(2, 3, 4), ord = 2}, dtypes = "wide", rtol = 1e-5},
        {{A = any(2, 3, 4), ord = -2, keepdim = true}, dtypes = "wide", rtol = 1e-5},
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
        {{A = any(3, 4), ord = "nuc"}, dtypes = "wide", rtol = 1e-5, layouts = "sliced"},
        {A = random {0, 3}, ord = "fro"},
        {{A = random {}, ord = "fro"}, error = "linalg_norm: expected a matrix"},
    }, {torch = "torch.linalg.norm(A, ord, dim, keepdim, dtype=dtype)"}),
    linalg_cond = {
        dtypes = "wide",
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
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.linalg.cond(A, p)",
        {{A = regular(2, 3, 3), p = "fro"}, torch = by_norms},
        {{A = regular(2, 3, 3), p = "nuc"}, torch = by_norms},
        {{A = random {2, 0, 0}, p = "fro"}},
        {{A = random {}, p = "fro"}, error = "linalg_cond: expected square matrices"},
        {{A = regular(2, 2), p = "max"}, error = "linalg_cond: ord must be"},
    },
    linalg_matrix_power = {
        dtypes = "wide int32",
        rtol = 1e-5,
        torch = "torch.linalg.matrix_power(A, n)",
        {{A = m(2, 3, 3), n = 5}, second = false},
        {{A = m(2, 3, 3), n = 1}},
        {{A = regular(2, 3, 3), n = -1}, dtypes = "wide"},
        {{A = random {2, 0, 0}, n = 2}},
        {{A = random {2, 3}, n = 2}, error = "linalg_matrix_power: expected square matrices, got 2x3"},
        {{A = random {}, n = 1}, error = "linalg_matrix_power: expected matrices for A"},
    },
    matrix_power = {
        dtypes = "wide int32",
        rtol = 1e-5,
        torch = "torch.matrix_power(input, n)",
        {{input = m(2, 3, 3), n = 3}},
        {{input = m(2, 3, 3), n = 0}},
        {{input = regular(2, 3, 3), n = -2}, dtypes = "wide"},
        {{input = random {2, 0, 0}, n = 5}},
        {{input = random {}, n = 1}, error = "matrix_power: expected matrices for A"},
    },
    linalg_matrix_exp = square("linalg_matrix_exp", any, {
        torch = "torch.linalg.matrix_exp(A)",
        {{A = literal {{30.0, 1.0}, {2.0, -40.0}}}, second = false, layouts = "transposed"},
        {{A = literal {{nan, 1.0}, {2.0, 1.0}}}, grad = false,
            torch = "torch.full((2, 2), float('nan'), dtype=A.dtype)"},
    }),
    matrix_exp = {
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.matrix_exp(input)",
        {{input = any(2, 3, 3)}},
        {{input = random {0, 2, 2}}},
        {{input = random {}}, error = "matrix_exp: expected matrices for A"},
    },
    det = {
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.det(input)",
        {{input = regular(2, 3, 3)}},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "det: expected matrices for A"},
    },
    logdet = {
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.logdet(input)",
        {{input = regular(2, 3, 3)}},
        {{input = literal {{0.0, 1.0}, {1.0, 0.0}}}, grad = false},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "logdet: expected matrices for A"},
    },
    slogdet = {
        dtypes = "wide",
        rtol = 1e-5,
        torch = "torch.slogdet(input)",
        {{input = regular(2, 3, 3)}},
        {{input = random {2, 0, 0}}},
        {{input = random {}}, error = "slogdet: expected matrices for A"},
    },
}
