--- Linear algebra on the device "cuda" against the CPU's: sizes at which one library function takes over from another,
--- and what is raised about which matrix.

local tocha = require "tocha"

local linalg = tocha.linalg

assert(tocha.cuda.is_available(), "these specs want a GPU, or TOCHA_HOSTGPU")

local wide = {dtype = "float64"}

local function random(...)
    return tocha.randn({...}, wide)
end

--- Far from singular.
local function regular(n, ...)
    return random(..., n, n) + 3 * math.sqrt(n) * tocha.eye(n, wide)
end

local function near(got, expected)
    local difference = (got:to("cpu") - expected):abs():max():item()
    assert.is_true(difference < 1e-9, "the results differ by " .. difference)
end

--- f gives the same for a and further tensors on both devices.
local function agrees(f, ...)
    local there = {}
    for i, x in ipairs {...} do
        there[i] = x:to("cuda")
    end
    local got, expected = {f(table.unpack(there))}, {f(...)}
    for i, e in ipairs(expected) do
        near(got[i], e)
    end
end

describe("linear algebra on a CUDA device", function()
    for _, n in ipairs {1, 5, 40, 257} do
        it(("solves one and several systems of %d rows"):format(n), function()
            for _, count in ipairs {1, 2} do
                local a, b = regular(n, count), random(count, n, 3)
                agrees(linalg.solve, a, b)
                agrees(linalg.inv, a)
                agrees(linalg.slogdet, a)
                agrees(linalg.cholesky, a:matmul(a:transpose(2, 3)))
                agrees(function(x, y)
                    return linalg.solve_triangular(x, y, true)
                end, a, b)
            end
        end)
    end

    for _, n in ipairs {3, 33} do
        it(("decomposes one and several matrices of %d rows"):format(n), function()
            for _, count in ipairs {1, 3} do
                local a = random(count, n, n)
                local symmetric = a + a:transpose(2, 3)
                agrees(linalg.eigh, symmetric)
                agrees(linalg.svd, a)
                agrees(linalg.qr, a)
                agrees(linalg.matrix_exp, a)
                local values, vectors = linalg.eig(a:to("cuda"))
                values, vectors = values:to("cpu"), vectors:to("cpu")
                near(a:to("complex128"):matmul(vectors), vectors * values:unsqueeze(-2))
            end
        end)
    end

    it("decomposes matrices that are wide, high, and read with strides", function()
        for _, shape in ipairs {{4, 7}, {7, 4}} do
            local a = random(2, shape[1], shape[2])
            local repeated = a:select(1, 1):expand(3, shape[1], shape[2])
            for _, x in ipairs {a, a:transpose(2, 3), a:narrow(2, 2, 3), repeated} do
                for _, full in ipairs {true, false} do
                    local u, s, vh = linalg.svd(x:to("cuda"), full)
                    local k = s:size(-1)
                    near((u:narrow(-1, 1, k) * s:unsqueeze(-2)):matmul(vh:narrow(-2, 1, k)), x)
                end
                agrees(linalg.pinv, x)
                agrees(function(y)
                    return linalg.qr(y, "complete")
                end, x)
            end
        end
    end)

    it("names the first matrix that cannot be worked with", function()
        local a = tocha.eye(2, wide):expand(4, 2, 2):clone()
        a[3]:zero_()
        a = a:to("cuda")
        local nan = (a / 0):contiguous()
        local cases = {
            {linalg.inv, a, "linalg_inv: matrix 3 of the batch is singular"},
            {linalg.cholesky, a, "linalg_cholesky: matrix 3 of the batch is not positive definite"},
            {linalg.inv, a[3], "linalg_inv: the matrix is singular"},
            {linalg.svd, nan, "linalg_svd: matrix 1 of the batch holds nan or inf"},
            {linalg.eigh, nan, "linalg_eigh: matrix 1 of the batch holds nan or inf"},
            {linalg.eig, nan, "linalg_eig: matrix 1 of the batch holds nan or inf"},
        }
        for _, case in ipairs(cases) do
            local ok, message = pcall(case[1], case[2])
            assert.is_false(ok)
            assert.is_truthy(tostring(message):find(case[3], 1, true), message)
        end
    end)

    it("factors and solves Hermitian systems as the CPU does, with pivots of one and of two rows", function()
        tocha.manual_seed(4)
        local pairs_seen = false
        for _, n in ipairs {1, 2, 3, 5, 40, 300} do
            local a = tocha.complex(random(2, n, n), random(2, n, n))
            a = a + a.mH
            if n % 2 == 1 then -- a small diagonal makes blocks of two rows
                a = a - tocha.diag_embed(a:diagonal({dim1 = -2, dim2 = -1}))
            end
            local b = tocha.complex(random(2, n, 3), random(2, n, 3))
            local here, places, info = linalg.ldl_factor_ex(a, {hermitian = true})
            local there, there_places, there_info = linalg.ldl_factor_ex(a:cuda(), {hermitian = true})
            pairs_seen = pairs_seen or places:lt(0):any():item()
            assert.are.same(places:tolist(), there_places:cpu():tolist())
            assert.are.same(info:tolist(), there_info:cpu():tolist())
            assert.is_true(here:allclose(there:cpu(), {rtol = 1e-8, atol = 1e-8}))
            if n > 1 then
                local x = linalg.ldl_solve(there, there_places, b:cuda(), {hermitian = true}):cpu()
                assert.is_true(a:matmul(x):allclose(b, {rtol = 1e-7, atol = 1e-7}))
            end
        end
        assert.is_true(pairs_seen)
    end)
end)
