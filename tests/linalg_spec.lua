--- Linear algebra: what the harness cannot see from one call.

local tocha = require "tocha"
local gradcheck = require "tests.harness.gradcheck"

local linalg = tocha.linalg

local function seeded(seed, ...)
    tocha.manual_seed(seed)
    return tocha.randn({...}, {dtype = "float64"})
end

local function largest(t)
    return t:abs():max():item()
end

local function transposed(t)
    return t:transpose(-2, -1)
end

local function refuses(text, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find(text, 1, true), message)
end

--- Central differences of first and second order for a function of one random tensor.
local function check_gradients(f, ...)
    local x = seeded(3, ...):requires_grad_()
    local function first()
        return f, {x}
    end
    local problem = gradcheck.first(first()) or gradcheck.second(first())
    assert.is_nil(problem, problem)
end

describe("tocha.linalg", function()
    it("has the operators under their short names", function()
        assert.are.equal(tocha.linalg_inv, linalg.inv)
        assert.are.equal(tocha.linalg_norm, linalg.norm)
        assert.is_function(linalg.multi_dot)
    end)

    it("takes matrices apart and puts them together again", function()
        local a = seeded(1, 3, 7, 5)
        local q, r = linalg.qr(a)
        assert.is_true(largest(q:matmul(r) - a) < 1e-13)
        assert.is_true(largest(transposed(q):matmul(q) - tocha.eye(5, {dtype = "float64"})) < 1e-13)
        local u, s, vh = linalg.svd(a, false)
        assert.is_true(largest((u * s:unsqueeze(-2)):matmul(vh) - a) < 1e-13)
        local full, _, full_vh = linalg.svd(a)
        assert.are.equal("3x7x7", tostring(full.shape))
        assert.are.equal("3x5x5", tostring(full_vh.shape))
        assert.is_true(largest(transposed(full):matmul(full) - tocha.eye(7, {dtype = "float64"})) < 1e-13)
        local square = seeded(2, 6, 6)
        local symmetric = square + square:t()
        local values, vectors = linalg.eigh(symmetric)
        assert.is_true(largest((vectors * values):matmul(vectors:t()) - symmetric) < 1e-12)
        local general, right = linalg.eig(symmetric)
        assert.is_true(largest((symmetric:cdouble():matmul(right) - right * general):abs()) < 1e-12)
        local values_of_turn, turned_by = linalg.eig(tocha.tensor({{0.0, -2.0}, {2.0, 0.0}}, {dtype = "float64"}))
        assert.are.equal("complex128", values_of_turn.dtype)
        assert.is_true(largest((values_of_turn:abs() - 2)) < 1e-12)
        assert.is_true(largest(turned_by:abs() - 0.5 ^ 0.5) < 1e-12)
        local complete, tall = linalg.qr(a, "complete")
        assert.are.equal("3x7x7", tostring(complete.shape))
        assert.is_true(largest(complete:matmul(tall) - a) < 1e-13)
    end)

    it("works on many matrices as on each alone, to the bit", function()
        local a = seeded(4, 300, 4, 4)
        local inverses, dets = linalg.inv(a), linalg.det(a)
        for i = 1, 300, 23 do
            assert.are.equal(0, largest(inverses[i] - linalg.inv(a[i])))
            assert.are.equal(dets[i]:item(), linalg.det(a[i]):item())
        end
    end)

    it("names the first singular matrix", function()
        local a = tocha.eye(3):expand(5, 3, 3):clone()
        a[4] = 0
        refuses("linalg_inv: matrix 4 of the batch is singular", linalg.inv, a)
        refuses("linalg_solve: matrix 4 of the batch is singular", linalg.solve, a, tocha.ones(3, 1))
        refuses("linalg_matrix_power: matrix 4 of the batch is singular", linalg.matrix_power, a, -1)
        local inverse, info = linalg.inv_ex(a)
        assert.are.same({0, 0, 0, 1, 0}, info:tolist())
        assert.is_true(inverse[4]:isnan():all():item())
    end)

    it("is not held up by nan and inf", function()
        local bad = tocha.eye(4)
        bad[{2, 3}] = 0 / 0
        bad[{3, 2}] = 1 / 0
        for _, name in ipairs {"svd", "svdvals", "eigh", "eigvals", "pinv", "matrix_rank"} do
            refuses("holds nan or inf", linalg[name], bad)
        end
        assert.is_true(linalg.inv(bad):isnan():any():item())
        assert.is_true(linalg.det(bad):isnan():item())
        assert.is_true(linalg.matrix_exp(bad):isnan():all():item())
    end)

    it("takes exponentials in single precision to about one rounding, whatever the norm", function()
        tocha.manual_seed(1)
        for _, n in ipairs {1, 2, 5, 50} do
            for _, norm in ipairs {0.01, 0.5, 1, 3.1, 3.3, 6, 12, 30} do
                local wide = tocha.randn(n, n):to("float64")
                local a = (wide * (norm / wide:abs():sum(1):max():item())):to("float32")
                local exact = linalg.matrix_exp(a:to("float64"))
                local off = (linalg.matrix_exp(a):to("float64") - exact):abs():max():item()
                assert.is_true(off <= 1e-7 * exact:abs():max():item(), n .. " " .. norm .. " " .. off)
            end
        end
    end)

    it("takes exponentials of large matrices with any number of threads", function()
        tocha.manual_seed(3)
        local threads = tocha.get_num_threads()
        finally(function() tocha.set_num_threads(threads) end)
        for _, n in ipairs {95, 130, 201} do
            for _, dtype in ipairs {"float32", "float64", "complex64"} do
                local a = (tocha.randn(n, n) * 0.05):to(dtype)
                tocha.set_num_threads(1)
                local one = linalg.matrix_exp(a)
                for k = 2, 3 do
                    tocha.set_num_threads(k)
                    local off = (linalg.matrix_exp(a) - one):abs():max():item()
                    assert.is_true(off <= 1e-6 * one:abs():max():item(), dtype .. " " .. n .. " " .. k)
                    local both = linalg.matrix_exp(tocha.stack({a, a}))
                    assert.is_true((both - one):abs():max():item() <= 1e-6 * one:abs():max():item())
                end
                assert.is_true((one:matmul(linalg.matrix_exp(-a)) - tocha.eye(n)):abs():max():item() < 1e-2)
            end
        end
    end)

    it("solves triangular systems of many right sides alike with any number of threads", function()
        tocha.manual_seed(2)
        local threads = tocha.get_num_threads()
        finally(function() tocha.set_num_threads(threads) end)
        for _, dtype in ipairs {"float32", "float64", "complex64"} do
            local a = (tocha.randn(40, 40) * 0.1 + tocha.eye(40) * 2):tril():to(dtype)
            for _, k in ipairs {100, 128, 129, 192, 257, 300} do
                for _, b in ipairs {tocha.randn(40, k):to(dtype), tocha.randn(k, 40):to(dtype):t()} do
                    for n = 1, 3 do
                        tocha.set_num_threads(n)
                        local x = linalg.solve_triangular(a, b, {upper = false})
                        assert.is_true((a:matmul(x) - b):abs():max():item() < 1e-4, dtype .. " " .. k .. " " .. n)
                        local y = linalg.solve_triangular(a, b:t(), {upper = false, left = false})
                        assert.is_true((y:matmul(a) - b:t()):abs():max():item() < 1e-4)
                    end
                end
            end
        end
        local bad = tocha.eye(3)
        bad[2][2] = 0
        tocha.set_num_threads(2)
        for _, k in ipairs {1, 300} do
            refuses("the matrix is singular", linalg.solve_triangular, bad, tocha.ones(3, k), {upper = true})
        end
    end)

    it("refuses half types and integers", function()
        refuses("float32", linalg.inv, tocha.eye(2, {dtype = "float16"}))
        refuses("float32", linalg.svd, tocha.tensor({{1, 2}, {3, 4}}))
    end)

    it("gives matrices without rows their results", function()
        assert.are.equal(1.0, linalg.det(tocha.zeros(0, 0)):item())
        local u, s, vh = linalg.svd(tocha.zeros(0, 3))
        assert.are.equal("0x0", tostring(u.shape))
        assert.are.equal(0, s:numel())
        assert.are.equal(0, largest(vh - tocha.eye(3)))
        assert.are.equal(0, largest(linalg.qr(tocha.zeros(2, 0), "complete") - tocha.eye(2)))
    end)

    it("has gradients of functions of symmetric matrices", function()
        local eye = tocha.eye(3, {dtype = "float64"})
        check_gradients(function(x) return linalg.cholesky(x:matmul(transposed(x)) + eye) end, 2, 3, 3)
        check_gradients(function(x) return linalg.cholesky(x:matmul(transposed(x)) + eye, true) end, 3, 3)
        check_gradients(function(x) return linalg.eigh(x + transposed(x)) end, 2, 3, 3)
        check_gradients(function(x) return linalg.eigvalsh(x + transposed(x), "U") end, 3, 3)
        check_gradients(function(x) return linalg.pinv(x + transposed(x), {hermitian = true}) end, 3, 3)
    end)

    it("takes complex matrices apart", function()
        local a = tocha.complex(seeded(2, 3, 5, 5), seeded(3, 3, 5, 5))
        local eye = tocha.eye(5, {dtype = "complex128"})
        assert.is_true(largest((linalg.inv(a):matmul(a) - eye):abs()) < 1e-12)
        assert.is_true(largest((a:matmul(linalg.solve(a, eye)) - eye):abs()) < 1e-12)
        local q, r = linalg.qr(a)
        assert.is_true(largest((q:matmul(r) - a):abs()) < 1e-12)
        assert.is_true(largest((q.mH:matmul(q) - eye):abs()) < 1e-12)
        local hermitian = a:matmul(a.mH)
        local l = linalg.cholesky(hermitian)
        assert.is_true(largest((l:matmul(l.mH) - hermitian):abs()) < 1e-11)
        local values, vectors = linalg.eigh(hermitian)
        assert.are.equal("float64", values.dtype)
        assert.is_true(largest(((vectors * values:unsqueeze(-2)):matmul(vectors.mH) - hermitian):abs()) < 1e-11)
        local any_values, any_vectors = linalg.eig(a)
        local product = any_vectors * any_values:unsqueeze(-2)
        assert.is_true(largest((a:matmul(any_vectors) - product):abs()) < 1e-12)
        assert.is_true(largest((any_values:prod(-1) - linalg.det(a)):abs()) < 1e-10)
        local tall = a:narrow(-1, 1, 3)
        local u, s, vh = linalg.svd(tall)
        assert.are.equal("float64", s.dtype)
        assert.is_true(largest(((u:narrow(-1, 1, 3) * s:unsqueeze(-2)):matmul(vh) - tall):abs()) < 1e-12)
        assert.is_true(largest((u.mH:matmul(u) - eye):abs()) < 1e-12)
        local _, _, wide = linalg.svd(tall.mH)
        assert.is_true(largest((wide.mH:matmul(wide) - eye):abs()) < 1e-12)
        local inverse = linalg.pinv(tall)
        assert.is_true(largest((tall:matmul(inverse):matmul(tall) - tall):abs()) < 1e-12)
        assert.is_true(largest((inverse:matmul(tall) - tocha.eye(3, {dtype = "complex128"})):abs()) < 1e-12)
        for _, driver in ipairs {"gelsy", "gelsd"} do
            local x = linalg.lstsq(tall, eye:expand(3, 5, 5), {driver = driver})
            assert.is_true(largest((x - inverse):abs()) < 1e-12)
        end
        local sign, log = linalg.slogdet(a)
        assert.is_true(largest((sign * log:exp() - linalg.det(a)):abs()) < 1e-10)
    end)

    it("has gradients through complex eigenvalues and eigenvectors", function()
        check_gradients(function(x) return linalg.eigvals(x):abs():sum() end, 4, 4)
        check_gradients(function(x) local _, v = linalg.eig(x); return v:abs() end, 4, 4)
        check_gradients(function(x)
            local z = tocha.complex(x, x:t() * x)
            local values, vectors = linalg.eigh(z:matmul(z.mH))
            return values, vectors:abs()
        end, 3, 3)
        check_gradients(function(x)
            local z = tocha.complex(x, x:t() * x)
            return linalg.cholesky(z:matmul(z.mH) + tocha.eye(3, {dtype = "float64"}))
        end, 3, 3)
        check_gradients(function(x) return linalg.det(tocha.complex(x, x * x)):abs() end, 3, 3)
        for _, sizes in ipairs {{3, 3}, {4, 3}, {2, 4}} do
            check_gradients(function(x)
                local u, s, vh = linalg.svd(tocha.complex(x, x * x), false)
                return u:abs(), s, vh:abs(), tocha.view_as_real(u:matmul(vh))
            end, table.unpack(sizes))
        end
        check_gradients(function(x)
            local sign, log = linalg.slogdet(tocha.complex(x, x * x))
            return sign:real(), log
        end, 3, 3)
    end)

    it("has a gradient of the determinant at singular matrices", function()
        local a = tocha.tensor({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, {dtype = "float64"}):requires_grad_()
        linalg.det(a):backward()
        local expected = tocha.tensor({{-3, 6, -3}, {6, -12, 6}, {-3, 6, -3}}, {dtype = "float64"})
        assert.is_true(largest(a.grad - expected) < 1e-12)
    end)

    it("says which decompositions have no gradient", function()
        local a = seeded(5, 4, 2):requires_grad_()
        local _, r = linalg.qr(a, "r")
        refuses("not differentiable", function() r:sum():backward() end)
        local q = linalg.qr(a, "complete")
        refuses("not differentiable", function() q:sum():backward() end)
    end)

    it("contracts in the order of the least work", function()
        local a, b, c = tocha.ones(2, 1000), tocha.ones(1000, 1000), tocha.ones(1000)
        assert.are.equal(1e6, tocha.einsum("ij,jk,k->i", {a, b, c})[1]:item())
        -- Any other order would need a matrix of 10^12 elements.
        local v = tocha.ones(1000000)
        assert.are.equal(1e6, tocha.einsum("i,j,j->i", {v, v, v})[1]:item())
        assert.are.equal(1e6, linalg.multi_dot({v:view(-1, 1), v:view(1, -1), v}):max():item())
    end)

    it("survives offsets of any size", function()
        for _, offset in ipairs {math.mininteger, math.maxinteger} do
            refuses("diag_embed: the result would be too large", tocha.diag_embed, tocha.ones(2), offset)
            assert.are.equal(0, tocha.ones(2, 2):diagonal(offset):numel())
        end
        assert.are.equal(0, largest(tocha.ones(2, 2):triu(math.maxinteger)))
        assert.are.equal(0, largest(tocha.ones(2, 2):tril(math.mininteger)))
        assert.are.equal(4, tocha.ones(2, 2):tril(math.maxinteger):sum():item())
        assert.are.equal(4, tocha.ones(2, 2):triu(math.mininteger):sum():item())
    end)

    it("reads long equations", function()
        local equation = " a b ... , b c ... , c d ... , d e ... -> a e ... "
        local x = tocha.ones(2, 2, 3)
        assert.are.equal(8, tocha.einsum(equation, {x, x, x, x})[{1, 1, 1}]:item())
        refuses("einsum: equation must be a string of at most 200 characters", tocha.einsum, ("a"):rep(201), {x})
    end)

    it("leaves transposed matrices as they lie", function()
        local a = tocha.arange(24):view(2, 3, 4):transpose(2, 3)
        local lower, upper = a:tril(-1), a:triu(1)
        assert.are.same({12, 1, 4}, lower:stride())
        assert.are.equal(0, largest(lower - a:contiguous():tril(-1)))
        assert.are.equal(0, largest(upper - a:contiguous():triu(1)))
        assert.are.equal(0, largest(a:triu(math.maxinteger)) + largest(a:tril(math.mininteger)))
        assert.are.equal(0, largest(a:tril(math.maxinteger) - a) + largest(a:triu(math.mininteger) - a))
    end)

    it("writes triangles in place", function()
        local a = tocha.ones(3, 3)
        a:tril_()
        a:triu_()
        assert.are.equal(0, largest(a - tocha.eye(3)))
    end)

    it("writes through a diagonal", function()
        local a = tocha.zeros(2, 3)
        a:diagonal(1):fill_(5)
        assert.are.same({{0, 5, 0}, {0, 0, 5}}, a:tolist())
    end)
end)
