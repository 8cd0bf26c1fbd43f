local tocha = require "tocha"
local linalg = tocha.linalg

local function near(a, b, tolerance)
    local distance = (a - b):abs():max():item()
    assert(distance <= (tolerance or 1e-10), ("differs by %g"):format(distance))
end

local function matrices(...)
    return tocha.randn({...}, {dtype = "float64"})
end

describe("LU factors", function()
    before_each(function() tocha.manual_seed(11) end)

    it("give the matrix back, whatever its shape", function()
        for _, size in ipairs {{5, 5}, {3, 7}, {7, 3}, {1, 1}} do
            local a = matrices(2, size[1], size[2])
            local P, L, U = linalg.lu(a)
            near(P:matmul(L):matmul(U), a)
            local P2, L2, U2 = tocha.lu_unpack(linalg.lu_factor(a))
            near(P2:matmul(L2):matmul(U2), a)
        end
    end)

    it("solve with the matrix and its transpose from both sides", function()
        local a, b = matrices(3, 4, 4), matrices(3, 4, 2)
        local LU, pivots = linalg.lu_factor(a)
        local at, bt = a:transpose(2, 3), b:transpose(2, 3)
        near(a:matmul(linalg.lu_solve(LU, pivots, b)), b, 1e-9)
        near(at:matmul(linalg.lu_solve(LU, pivots, b, {adjoint = true})), b, 1e-9)
        near(linalg.lu_solve(LU, pivots, bt, {left = false}):matmul(a), bt, 1e-9)
        near(linalg.lu_solve(LU, pivots, bt, {left = false, adjoint = true}):matmul(at), bt, 1e-9)
    end)

    it("without swaps leave the rows where they are", function()
        local a = matrices(4, 4) + tocha.eye(4, {dtype = "float64"}) * 8
        local P, L, U = linalg.lu(a, {pivot = false})
        assert.equal(0, P:numel())
        near(L:matmul(U), a)
    end)

    it("show a singular matrix of a batch", function()
        local a = tocha.stack {tocha.eye(2), tocha.zeros(2, 2)}
        local x, info = linalg.solve_ex(a, tocha.ones(2, 2, 1))
        assert.same({0, 1}, info:tolist())
        assert.same({{1}, {1}}, x[1]:tolist())
        assert.is_true(x[2]:isnan():any():item())
    end)
end)

describe("Householder vectors", function()
    it("are those of QR", function()
        local a = matrices(2, 5, 3)
        local packed, tau = tocha.geqrf(a)
        local q = linalg.householder_product(packed, tau)
        near(q:matmul(packed:narrow(2, 1, 3):triu()), a)
        near(q:transpose(2, 3):matmul(q), tocha.eye(3, {dtype = "float64"}):expand(2, 3, 3))
        local c = matrices(2, 5, 2)
        local whole = tocha.ormqr(packed, tau, tocha.eye(5, {dtype = "float64"}):expand(2, 5, 5))
        near(tocha.ormqr(packed, tau, c), whole:matmul(c))
        near(tocha.ormqr(packed, tau, c, {transpose = true}), whole:transpose(2, 3):matmul(c))
    end)
end)

describe("LDL factors", function()
    it("solve systems that are not definite", function()
        local a, b = matrices(3, 6, 6), matrices(6, 2)
        a = a + a:transpose(2, 3)
        local LD, pivots, info = linalg.ldl_factor_ex(a)
        assert.same({0, 0, 0}, info:tolist())
        near(a:matmul(linalg.ldl_solve(LD, pivots, b)), b:expand(3, 6, 2), 1e-8)
    end)
end)

describe("randomised factorisations", function()
    it("find all of a matrix of low rank", function()
        local a = matrices(2, 30, 4):matmul(matrices(2, 4, 20))
        local U, S, V = tocha.svd_lowrank(a, 5)
        near((U * S:unsqueeze(2)):matmul(V:transpose(2, 3)), a, 1e-8)
        near(S, linalg.svdvals(a):narrow(2, 1, 5), 1e-8)
        local _, spread = tocha.pca_lowrank(a + 100, 4)
        local centred = a - a:mean({dim = 2, keepdim = true})
        near(spread, linalg.svdvals(centred):narrow(2, 1, 4), 1e-8)
    end)
end)

describe("roots and polar factors", function()
    it("are what they are called", function()
        local a = matrices(3, 5, 4)
        local U, H = linalg.polar(a)
        near(U:matmul(H), a)
        near(U:transpose(2, 3):matmul(U), tocha.eye(4, {dtype = "float64"}):expand(3, 4, 4))
        local root = linalg.matrix_sqrth(H:matmul(H))
        near(root, H, 1e-8)
    end)
end)
