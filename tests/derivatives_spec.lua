--- Problems whose derivatives are known in closed form, and one whose solution is.

local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"
local compare = require "tests.harness.compare"

local func = tocha.func
local f64 = {dtype = "float64"}

local function vector(values)
    return tocha.tensor(values, f64)
end

local function close(got, expected, tolerance)
    assert.is_nil(compare.close(got:detach():contiguous(), expected:detach():contiguous(),
        {rtol64 = tolerance or 1e-9, atol64 = tolerance or 1e-11}))
end

local function symmetric(a)
    return a + a:t()
end

local A = vector {{4, 1, -0.5}, {0.5, 3, 0.25}, {1, -1, 5}}
local S = symmetric(A)
local x, y = vector {0.5, -1.25, 2}, vector {1.5, 0.25, -0.75}

--- {name, function that compares}.
local problems = {
    {"Rosenbrock's gradient and Hessian", function()
        local function rosenbrock(p) return (1 - p[1]) ^ 2 + 100 * (p[2] - p[1] ^ 2) ^ 2 end
        local a, b = -1.2, 1.0
        local p = vector {a, b}
        close(func.grad(rosenbrock)(p), vector {-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)})
        close(func.hessian(rosenbrock)(p), vector {{1200 * a * a - 400 * b + 2, -400 * a}, {-400 * a, 200}})
    end},
    {"Newton's method on Rosenbrock ends at its minimum", function()
        local function rosenbrock(p) return (1 - p[1]) ^ 2 + 100 * (p[2] - p[1] ^ 2) ^ 2 end
        local p = vector {-1.2, 1}
        for _ = 1, 8 do
            p = p - tocha.linalg.solve(func.hessian(rosenbrock)(p), func.grad(rosenbrock)(p))
        end
        close(p, vector {1, 1})
    end},
    {"a quadratic form: (A + A') x, A + A'", function()
        local function f(v) return v:dot(A:matmul(v)) end
        close(func.grad(f)(x), S:matmul(x))
        close(func.hessian(f)(x), S)
    end},
    {"least squares: A' (A x - b)", function()
        close(func.grad(function(v) return (A:matmul(v) - y):square():sum() / 2 end)(x), A:t():matmul(A:matmul(x) - y))
    end},
    {"a linear solve by its matrix and right side: -u z', u", function()
        local function f(m, b) return tocha.linalg.solve(m, b):dot(x) end
        local g = func.grad(f, {1, 2})(A, y)
        local u, z = tocha.linalg.solve(A:t(), x), tocha.linalg.solve(A, y)
        close(g[1], -u:outer(z))
        close(g[2], u)
    end},
    {"an implicit function by Newton and the implicit function theorem", function()
        -- z(t) with z + exp(z) = t: z' = 1 / (1 + exp z), z'' = -exp(z) z' / (1 + exp z)^2.
        local function solve(t)
            local z = tocha.no_grad(function()
                local v = t:detach() * 0
                for _ = 1, 30 do
                    v = v - (v + v:exp() - t:detach()) / (1 + v:exp())
                end
                return v
            end)
            for _ = 1, 2 do -- two steps of Newton carry two derivatives
                z = z - (z + z:exp() - t) / (1 + z:exp())
            end
            return z
        end
        local t = tocha.tensor(3.0, f64)
        local z = solve(t)
        local slope = 1 / (1 + z:exp())
        close(func.grad(solve)(t), slope)
        close(func.grad(func.grad(solve))(t), -z:exp() * slope ^ 3)
    end},
    {"an implicit function through a linear solve", function()
        -- x(p) with M(p) x = b, M = A + p I: dx/dp = -M^-1 x, d2x/dp2 = 2 M^-2 x.
        local eye = tocha.eye(3, f64)
        local function solution(p) return tocha.linalg.solve(A + p * eye, y) end
        local p = tocha.tensor(0.5, f64)
        local m = A + 0.5 * eye
        local v = solution(p)
        local first = -tocha.linalg.solve(m, v)
        close(func.jacrev(solution)(p), first)
        close(func.jacfwd(func.jacfwd(solution))(p), -2 * tocha.linalg.solve(m, first))
    end},
    {"the inverse: -A^-T G A^-T", function()
        local inverse = tocha.linalg.inv(A)
        close(func.grad(function(m) return (tocha.linalg.inv(m) * S):sum() end)(A),
            -inverse:t():matmul(S):matmul(inverse:t()))
    end},
    {"the logarithm of a determinant: A^-T, and its second derivative", function()
        local inverse = tocha.linalg.inv(S)
        local function logdet(m) return select(2, tocha.linalg.slogdet(m)) end
        close(func.grad(logdet)(S), inverse:t())
        local _, d = func.jvp(func.grad(logdet), S, A)
        close(d, -inverse:matmul(A):matmul(inverse):t())
    end},
    {"a determinant: its cofactors", function()
        close(func.grad(tocha.linalg.det)(A), tocha.linalg.det(A) * tocha.linalg.inv(A):t())
    end},
    {"an eigenvalue: v v'", function()
        local function largest(m) return (tocha.linalg.eigh((m + m:t()) / 2))[3] end
        local _, vectors = tocha.linalg.eigh(S)
        local v = vectors[{{}, 3}]
        close(func.grad(largest)(S), v:outer(v))
    end},
    {"the nuclear norm: U V'", function()
        local U, _, Vh = tocha.linalg.svd(A, false)
        close(func.grad(function(m) return select(2, tocha.linalg.svd(m, false)):sum() end)(A), U:matmul(Vh))
    end},
    {"the Frobenius norm: A / |A|", function()
        close(func.grad(tocha.norm)(A), A / A:norm())
    end},
    {"the trace of a matrix power: n (A^(n-1))'", function()
        close(func.grad(function(m) return m:matmul(m):matmul(m):trace() end)(A), 3 * A:matmul(A):t())
    end},
    {"log-sum-exp: softmax, and diag(s) - s s'", function()
        local function f(v) return v:logsumexp(1) end
        local s = x:softmax(1)
        close(func.grad(f)(x), s)
        close(func.hessian(f)(x), s:diag() - s:outer(s))
    end},
    {"softmax: diag(s) - s s'", function()
        local s = x:softmax(1)
        close(func.jacrev(function(v) return v:softmax(1) end)(x), s:diag() - s:outer(s))
        close(func.jacfwd(function(v) return v:softmax(1) end)(x), s:diag() - s:outer(s))
    end},
    {"cross entropy: softmax less the label, and its Hessian", function()
        local label = tocha.tensor(2)
        local function f(v) return tocha.cross_entropy(v, label) end
        local s = x:softmax(1)
        close(func.grad(f)(x), s - vector {0, 1, 0})
        close(func.hessian(f)(x), s:diag() - s:outer(s))
    end},
    {"logistic regression: X' (p - y), X' diag(p (1 - p)) X", function()
        local labels = vector {1, 0, 1}
        local function f(w)
            local z = A:matmul(w)
            return (z:exp():add(1):log() - labels * z):sum()
        end
        local p = A:matmul(x):sigmoid()
        close(func.grad(f)(x), A:t():matmul(p - labels))
        close(func.hessian(f)(x), A:t():matmul((p * (1 - p)):diag()):matmul(A))
    end},
    {"a normal density's logarithm by mean and deviation", function()
        local function f(mean, deviation)
            return -(((x - mean) / deviation) ^ 2 / 2 + deviation:log()):sum()
        end
        local m, d = tocha.tensor(0.3, f64), tocha.tensor(1.7, f64)
        local g = func.grad(f, {1, 2})(m, d)
        close(g[1], ((x - m) / d ^ 2):sum())
        close(g[2], ((x - m) ^ 2 / d ^ 3 - 1 / d):sum())
    end},
    {"polar coordinates: the Jacobian's determinant is r", function()
        local function polar(p) return tocha.stack({p[1] * p[2]:cos(), p[1] * p[2]:sin()}) end
        local p = vector {2.5, 0.7}
        close(func.jacfwd(polar)(p), vector {
            {math.cos(0.7), -2.5 * math.sin(0.7)}, {math.sin(0.7), 2.5 * math.cos(0.7)}})
        close(tocha.linalg.det(func.jacrev(polar)(p)), p[1])
    end},
    {"spherical coordinates: the Jacobian's determinant is r^2 sin(theta)", function()
        local function spherical(p)
            return p[1] * tocha.stack({p[2]:sin() * p[3]:cos(), p[2]:sin() * p[3]:sin(), p[2]:cos()})
        end
        local p = vector {1.5, 0.9, 2.2}
        close(tocha.linalg.det(func.jacrev(spherical)(p)), p[1] ^ 2 * p[2]:sin())
    end},
    {"1 / r is harmonic: its Laplacian is 0", function()
        close(func.hessian(function(v) return 1 / v:norm() end)(x):trace(), tocha.tensor(0., f64), 1e-12)
    end},
    {"the heat kernel solves the heat equation", function()
        local function u(t, s) return (-s ^ 2 / (4 * t)):exp() / t:sqrt() end
        local t, s = tocha.tensor(0.8, f64), tocha.tensor(1.3, f64)
        close(func.grad(u, 1)(t, s), func.grad(func.grad(u, 2), 2)(t, s))
    end},
    {"Euler's theorem for a homogeneous function of degree 3", function()
        local function f(v) return v[1] ^ 2 * v[2] + v[3] ^ 3 end
        close(func.grad(f)(x):dot(x), 3 * f(x))
        close(func.hessian(f)(x):matmul(x), 2 * func.grad(f)(x))
    end},
    {"the chain rule through a composition of fields", function()
        local function f(v) return A:matmul(v):sin() end
        local function g(v) return (v * v:sum()):exp() / 10 end
        close(func.jacrev(function(v) return g(f(v)) end)(x),
            func.jacfwd(g)(f(x)):matmul(func.jacfwd(f)(x)))
        close(func.jacrev(f)(x), A:matmul(x):cos():unsqueeze(2) * A)
    end},
    {"derivatives of x^7 to the eighth", function()
        local f, factor = function(v) return v ^ 7 end, 1
        for k = 1, 8 do
            f = func.grad(f)
            factor = factor * (8 - k)
            close(f(tocha.tensor(1.5, f64)), tocha.tensor(factor * (k <= 7 and 1.5 ^ (7 - k) or 0), f64))
        end
    end},
    {"derivatives of sin to the sixth, in forward and reverse by turns", function()
        local t = tocha.tensor(0.6, f64)
        local f = tocha.sin
        for k = 1, 6 do
            local inner = f
            f = k % 2 == 0 and func.grad(inner) or function(v)
                return select(2, func.jvp(inner, v, tocha.ones({}, f64)))
            end
            close(f(t), tocha.tensor(math.sin(0.6 + k * math.pi / 2), f64))
        end
    end},
    {"Taylor's series of exp by repeated jvp", function()
        local t, h = tocha.tensor(0.3, f64), 0.1
        local f, sum, factor = tocha.exp, tocha.tensor(0., f64), 1
        for k = 0, 7 do
            sum = sum + f(t) * h ^ k / factor
            factor = factor * (k + 1)
            local inner = f
            f = function(v) return select(2, func.jvp(inner, v, tocha.ones({}, f64))) end
        end
        close(sum, (t + h):exp(), 1e-11)
    end},
    {"sensitivities of an unrolled integration of u' = -k u", function()
        local function final(k)
            local u, steps = tocha.ones({}, f64), 200
            for _ = 1, steps do
                u = u - k * u / steps
            end
            return u
        end
        local k, n = tocha.tensor(1.5, f64), 200
        close(func.grad(final)(k), tocha.tensor(-(1 - 1.5 / n) ^ (n - 1), f64))
        close(func.grad(func.grad(final))(k), tocha.tensor((n - 1) / n * (1 - 1.5 / n) ^ (n - 2), f64))
    end},
    {"a fixed point differentiated through its iterations", function()
        -- z = cos(t z): z' = -z sin(t z) / (1 + t sin(t z)).
        local function fixed(t)
            local z = tocha.ones({}, f64)
            for _ = 1, 200 do
                z = (t * z):cos()
            end
            return z
        end
        local t = tocha.tensor(0.7, f64)
        local z = fixed(t)
        local s = (t * z):sin()
        close(func.grad(fixed)(t), -z * s / (1 + t * s))
    end},
    {"Cholesky: the logarithm of a determinant twice over", function()
        local P = A:matmul(A:t())
        local function f(m) return 2 * tocha.linalg.cholesky((m + m:t()) / 2):diagonal():log():sum() end
        close(func.grad(f)(P), tocha.linalg.inv(P))
    end},
    {"a convolution: correlations of the output's gradient", function()
        local signal = vector({1, 2, -1, 0.5, 3}):view(1, 1, 1, 5)
        local kernel = vector({0.5, -1, 2}):view(1, 1, 1, 3)
        local g = func.grad(function(k) return nn.functional.conv2d(signal, k):square():sum() / 2 end)(kernel):view(-1)
        local out = nn.functional.conv2d(signal, kernel):view(-1)
        for k = 1, 3 do
            close(g[k], out:dot(signal:view(-1):narrow(1, k, 3)))
        end
    end},
}

describe("derivatives in closed form:", function()
    assert(#problems >= 30, #problems)
    for _, problem in ipairs(problems) do
        it(problem[1], problem[2])
    end
end)

describe("a physics-informed network", function()
    it("solves u'' = -u with u(0) = 0, u'(0) = 1 to 1e-3", function()
        tocha.manual_seed(7)
        local net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)):double()
        -- t + t^2 net(t) has the right start; the network learns the rest.
        local function u(t) return t + t * t * net(t) end
        local t = tocha.linspace(0, 3, 40, f64):view(-1, 1):requires_grad_()
        local function residual()
            local v = u(t)
            local first = tocha.grad(v:sum(), t, {create_graph = true})
            local second = tocha.grad(first:sum(), t, {create_graph = true})
            return second + v
        end
        local function error_now()
            return tocha.no_grad(function() return (u(t) - t:sin()):abs():max():item() end)
        end
        local optimizer = optim.Adam(net:parameters(), {lr = 0.01})
        local steps = 0
        while steps < 4000 and (steps % 100 > 0 or error_now() > 8e-4) do
            steps = steps + 1
            if steps == 1500 then
                optimizer = optim.Adam(net:parameters(), {lr = 0.002})
            end
            optimizer:zero_grad()
            residual():square():mean():backward()
            optimizer:step()
        end
        assert.is_true(error_now() < 1e-3, ("%g after %d steps"):format(error_now(), steps))
    end)
end)
