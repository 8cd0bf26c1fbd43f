--- tocha.func: the transforms, each by itself and composed.

local tocha = require "tocha"
local nn = require "nn"
local compare = require "tests.harness.compare"

local func = tocha.func
local f64 = {dtype = "float64"}

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
end

local function assert_close(got, expected)
    assert.is_nil(compare.close(got:detach(), expected:detach(), {rtol64 = 1e-9}))
end

local function vector(values)
    return tocha.tensor(values, f64)
end

--- A function of two vectors with every second derivative.
local function mixed(x, y)
    return (x * y:exp()):sum() * x:square():sum() + (x:sin() * y:sum()):prod()
end

describe("grad", function()
    it("gives the gradient by one argument, by several and by tables of tensors", function()
        local x, y = vector {0.5, -1}, vector {2, 0.25}
        local gx = func.grad(mixed)(x, y)
        local leaf_x, leaf_y = x:detach():requires_grad_(), y:detach():requires_grad_()
        local expected = tocha.grad(mixed(leaf_x, leaf_y), {leaf_x, leaf_y})
        assert_close(gx, expected[1])
        assert.is_false(gx.requires_grad)
        assert.is_false(x.requires_grad)
        assert_close(func.grad(mixed, 2)(x, y), expected[2])
        local both = func.grad(mixed, {1, 2})(x, y)
        assert_close(both[1], expected[1])
        assert_close(both[2], expected[2])
        assert_close(func.grad(mixed, {argnums = {2}})(x, y)[1], expected[2])
        local tree = func.grad(function(p) return mixed(p.a, p.list[1]) end)({a = x, list = {y}, other = 3})
        assert_close(tree.a, expected[1])
        assert_close(tree.list[1], expected[2])
    end)

    it("gives the value too, and what else the function gives", function()
        local x = vector {1, 2}
        local function f(v) return v:square():sum(), {v * 3, "text"} end
        local value, g = func.value_and_grad(f)(x)
        assert.are.equal(5, value:item())
        assert.are.same({2, 4}, g:tolist())
        local g2, aux = func.grad(f, {has_aux = true})(x)
        assert.are.same({2, 4}, g2:tolist())
        assert.are.same({3, 6}, aux[1]:tolist())
        assert.is_false(aux[1].requires_grad)
        local _, _, aux3 = func.value_and_grad(f, {has_aux = true})(x)
        assert.are.equal("text", aux3[2])
    end)

    it("is zero where nothing depends on the argument", function()
        assert.are.same({0, 0}, func.grad(function() return tocha.ones({}, f64) end)(vector {1, 2}):tolist())
        assert.are.same({0, 0}, func.grad(function(_, y) return y:sum() end)(vector {1, 2}, vector {1}):tolist())
    end)

    it("nests to any order, and can be differentiated from outside", function()
        local f = function(x) return x ^ 5 end
        local x = tocha.tensor(2., f64)
        for _, expected in ipairs {80, 160, 240, 240, 120, 0} do
            f = func.grad(f)
            assert.are.equal(expected, f(x):item())
        end
        local leaf = vector({3}):requires_grad_()
        local g = func.grad(function(v) return (v ^ 3):sum() end)(leaf)
        g:sum():backward()
        assert.are.same({18}, leaf.grad:tolist())
        local w = vector({2}):requires_grad_()
        func.grad(function(v) return (v * v * w):sum() end)(vector {5}):sum():backward()
        assert.are.same({10}, w.grad:tolist())
    end)

    it("does not mix up inner and outer variables", function()
        -- d/dx (x * d/dy (x + y)) is 1, not 2.
        local d = func.grad(function(x)
            return x * func.grad(function(y) return x + y end)(tocha.tensor(1., f64))
        end)
        assert.are.equal(1, d(tocha.tensor(1., f64)):item())
        local e = func.grad(function(x) return x * func.grad(function(y) return x * y * y end)(x) end)
        assert.are.equal(3 * 2 * 4, e(tocha.tensor(2., f64)):item())
    end)

    it("respects no_grad around it and inside", function()
        local leaf = vector({3}):requires_grad_()
        local g = tocha.no_grad(func.grad(function(v) return (v ^ 2):sum() end), leaf)
        assert.are.same({6}, g:tolist())
        assert.is_false(g.requires_grad)
        local h = func.grad(function(v)
            local c = tocha.no_grad(function() return v * 2 end)
            return (v * c):sum()
        end)(vector {5})
        assert.are.same({10}, h:tolist())
    end)

    it("says what is wrong", function()
        assert_raises(function() func.grad(5) end, "grad: expected a function, got 5")
        assert_raises(function() func.grad(tocha.sin)(vector {1, 2}) end, "a tensor of one element", "shape 2")
        assert_raises(function() func.grad(tocha.sum)(tocha.tensor {1, 2}) end, "argument 1 is int64: only floating")
        assert_raises(function() func.grad(tocha.sum, 2)(vector {1}) end, "argnums names argument 2 of 1")
        assert_raises(function() func.grad(tocha.sum, 0)(vector {1}) end, "argnums must be a position from 1")
        assert_raises(function() func.grad(tocha.sum)(3) end, "argument 1 holds no tensor, it is 3")
        assert_raises(function() func.grad(tocha.sum, {argnum = 1}) end, "unknown option")
        assert_raises(function() func.vjp(function() return 5 end, vector {1}) end, "result 1 is 5")
        assert_raises(function() func.jvp(tocha.sin, vector {1, 2}, vector {1}) end,
            "jvp: tangents 1 has shape 1, expected 2")
        assert_raises(function() func.jvp(tocha.sin, vector {1, 2}, {}) end, "jvp: expected 1 tangents, got 0")
        assert_raises(function() func.hvp(tocha.sin, vector {1, 2}, vector {1, 1}) end, "hvp: the function must give")
        local _, pull = func.vjp(tocha.sin, vector {1, 2})
        assert_raises(function() pull(vector {1}) end, "vjp: cotangents 1 has shape 1, expected 2")
    end)
end)

describe("vjp and jvp", function()
    local function f(x, y)
        return x:matmul(y), {(x:sum() * y):tanh()}, x:argmax()
    end
    local x, y = vector {{1, 2}, {0.5, -1}}, vector {0.3, 0.7}

    it("agree with each other: <u, J v> is <J' u, v>", function()
        local v = {vector {{0.1, -2}, {3, 0.5}}, vector {1, -0.5}}
        local results, directions = func.jvp(f, {x, y}, v)
        assert_close(results[1], x:matmul(y))
        assert.are.equal("int64", directions[3].dtype)
        local a, b, _, pull = func.vjp(f, x, y)
        local u = {vector {2, -1}, {vector {0.25, 4}}}
        local gx, gy = pull(u[1], u[2])
        local left = (u[1] * directions[1]):sum() + (u[2][1] * directions[2][1]):sum()
        local right = (gx * v[1]):sum() + (gy * v[2]):sum()
        assert_close(left, right)
        assert.is_false(a.requires_grad or b[1].requires_grad)
        assert_close((select(2, pull(u[1], u[2]))), gy)
    end)

    it("agree with differences", function()
        local v = vector {0.7, -0.2}
        local h = 1e-6
        local _, d = func.jvp(function(t) return x:matmul(t):exp() end, y, v)
        local differences = (x:matmul(y + v * h):exp() - x:matmul(y - v * h):exp()) / (2 * h)
        assert.is_true((d - differences):abs():max():item() < 1e-8)
    end)

    it("linearize runs the function once", function()
        local calls = 0
        local value, push = func.linearize(function(t)
            calls = calls + 1
            return t:exp()
        end, y)
        for _, v in ipairs {vector {1, 0}, vector {0, 1}, vector {2, 3}} do
            assert_close(push(v), v * value)
        end
        assert.are.equal(1, calls)
        local _, _, push2 = func.linearize(function(t) return t * 1, tocha.ones(3, f64) end, y)
        local p, q = push2(y)
        assert_close(p, y)
        assert.are.same({0, 0, 0}, q:tolist())
    end)

    it("do not form Jacobians: memory of a jvp is that of some values", function()
        local n = 100000
        local big = tocha.rand(n)
        collectgarbage()
        collectgarbage()
        tocha.reset_peak_memory_stats()
        local before = tocha.memory_stats().live
        local _, d = func.jvp(function(v) return v:exp() * v:sin() end, big, tocha.ones(n))
        assert.are.equal(n, d:numel())
        assert.is_true(tocha.memory_stats().peak - before < 40 * 4 * n)
    end)
end)

describe("Jacobians", function()
    local x, y = vector {0.5, -1, 2}, vector {{1, 2}, {0.25, -0.5}, {3, 1}}
    local function f(a, b)
        return a:exp():matmul(b), {t = (a:sum() * b):sin()}
    end

    it("are the same in both modes, for several arguments and results", function()
        for _, argnums in ipairs {1, 2} do
            local r1, r2 = func.jacrev(f, argnums)(x, y)
            local f1, f2 = func.jacfwd(f, argnums)(x, y)
            assert_close(r1, f1)
            assert_close(r2.t, f2.t)
        end
        local r, rt = func.jacrev(f, {1, 2})(x, y)
        assert.are.equal("2x3", tostring(r[1].shape))
        assert.are.equal("2x3x2", tostring(r[2].shape))
        assert.are.equal("3x2x3", tostring(rt.t[1].shape))
        assert_close(r[1], y:t() * x:exp())
        local c = func.jacobian(f, {argnums = 2, chunk_size = 1})(x, y)
        assert_close(c, r[2])
        assert_close(func.jacfwd(f, {argnums = 1, chunk_size = 2})(x, y), r[1])
    end)

    it("have second derivatives", function()
        local function g(a) return (a ^ 3):sum() * a[1] + a[2] * a[3] end
        local h = func.hessian(g)(x)
        assert_close(h, func.jacrev(func.grad(g))(x))
        assert_close(h, func.jacfwd(func.grad(g))(x))
        assert_close(h, func.jacrev(func.jacrev(g))(x))
        assert_close(h, func.jacrev(func.jacfwd(g))(x))
        assert_close(h, h:t())
        local v = vector {1, -2, 0.5}
        local value, product = func.hvp(g, x, v)
        assert_close(product, h:matmul(v))
        assert_close(value, g(x))
        local _, second = func.jvp(func.grad(g), x, v)
        assert_close(second, product)
        local blocks = func.hessian(mixed, {1, 2})(vector {0.5, 1}, vector {2, 0.1})
        assert_close(blocks[1][2], blocks[2][1]:t())
        assert.are.equal("2x3x3", tostring(func.hessian(function(a) return (a ^ 2):matmul(y) end)(x).shape))
    end)

    it("can be differentiated from outside", function()
        local leaf = x:detach():requires_grad_()
        func.jacrev(function(a) return a ^ 3 end)(leaf):sum():backward()
        assert_close(leaf.grad, x * 6)
        leaf.grad = nil
        func.hessian(function(a) return (a ^ 4):sum() end)(leaf):sum():backward()
        assert_close(leaf.grad, x * 24)
    end)
end)

describe("transforms compose", function()
    local w, x, y = vector {0.5, -1}, vector {{1, 2}, {0.25, -0.5}, {3, 1}}, vector {1, 0, 2}

    local function loss(p, a, b)
        return (a:dot(p):tanh() - b):square()
    end

    local function total(p)
        return func.vmap(loss, {in_dims = {false, 1, 1}})(p, x, y):sum()
    end

    local function plain(p)
        return (x:matmul(p):tanh() - y):square():sum()
    end

    it("a Hessian of a mapped loss", function()
        assert_close(func.hessian(total)(w), func.hessian(plain)(w))
    end)

    it("a gradient of a mapped function, and a mapped gradient", function()
        assert_close(func.grad(total)(w), func.grad(plain)(w))
        local each = func.vmap(func.grad(loss), {in_dims = {false, 1, 1}})(w, x, y)
        for s = 1, 3 do
            assert_close(each[s], func.grad(loss)(w, x[s], y[s]))
        end
        assert_close(each:sum(1), func.grad(plain)(w))
    end)

    it("a mapped Hessian, Jacobian, vjp, jvp and hvp", function()
        local hessians = func.vmap(func.hessian(loss), {in_dims = {false, 1, 1}})(w, x, y)
        local jacobians = func.vmap(func.jacfwd(loss, 2), {in_dims = {false, 1, 1}})(w, x, y)
        local products = func.vmap(function(a, b)
            return select(2, func.hvp(function(p) return loss(p, a, b) end, w, a))
        end)(x, y)
        local directions = func.vmap(function(a, v)
            local _, d = func.jvp(function(t) return t:sin() * t:sum() end, a, v)
            return d
        end)(x, x * 2)
        local pulled = func.vmap(function(a)
            local _, pull = func.vjp(function(t) return t:sin() * t:sum() end, a)
            return pull(a)
        end)(x)
        for s = 1, 3 do
            assert_close(hessians[s], func.hessian(loss)(w, x[s], y[s]))
            assert_close(jacobians[s], func.jacrev(loss, 2)(w, x[s], y[s]))
            assert_close(products[s], hessians[s]:matmul(x[s]))
            local j = func.jacrev(function(t) return t:sin() * t:sum() end)(x[s])
            assert_close(directions[s], j:matmul(x[s] * 2))
            assert_close(pulled[s], x[s]:matmul(j))
        end
    end)

    it("a jvp of a gradient, a gradient of a jvp and of a mapped gradient", function()
        local v = vector {2, -0.5}
        local h = func.hessian(plain)(w)
        local _, d = func.jvp(func.grad(plain), w, v)
        assert_close(d, h:matmul(v))
        local g = func.grad(function(p)
            local _, slope = func.jvp(plain, p, v)
            return slope
        end)(w)
        assert_close(g, h:matmul(v))
        local penalty = func.grad(function(p)
            return func.vmap(func.grad(loss), {in_dims = {false, 1, 1}})(p, x, y):square():sum()
        end)
        local expected = func.grad(function(p)
            local sum = 0
            for s = 1, 3 do
                sum = sum + func.grad(loss)(p, x[s], y[s]):square():sum()
            end
            return sum
        end)
        assert_close(penalty(w), expected(w))
    end)

    it("nested maps of gradients of mapped functions", function()
        local grid = tocha.stack({w, w * 2, w - 1, w + 3})
        local nested = func.vmap(func.grad(total))(grid)
        local twice = func.vmap(func.vmap(func.grad(loss), {in_dims = {false, 1, 1}}), {in_dims = {1, false, false}})
        local all = twice(grid, x, y)
        for i = 1, 4 do
            assert_close(nested[i], func.grad(plain)(grid[i]))
            assert_close(all[i]:sum(1), nested[i])
        end
    end)

    it("with tocha.grad used inside a map", function()
        local slopes = func.vmap(function(a)
            local t = a * 1
            return tocha.grad((t ^ 3):sum(), t, {create_graph = true})
        end)(x:detach():requires_grad_())
        assert_close(slopes, x ^ 2 * 3)
        local p = w:detach():requires_grad_()
        assert_raises(function()
            func.vmap(function(a) return tocha.grad(a:dot(p), p) end)(x)
        end, "grad: input 1 is the same for all samples", "tocha.func.grad")
    end)

    it("with custom functions and checkpoints", function()
        local Cube = tocha.autograd.Function {
            forward = function(ctx, a)
                ctx:save_for_backward(a)
                return a ^ 3
            end,
            backward = function(ctx, g) return g * 3 * ctx.saved_tensors[1] ^ 2 end,
        }
        local function f(a) return Cube(a):sum() end
        assert_close(func.hessian(f)(w), func.hessian(function(a) return (a ^ 3):sum() end)(w))
        assert_close(func.vmap(func.grad(f))(x), x ^ 2 * 3)
        assert_close(func.vmap(func.hessian(f))(x), func.vmap(func.hessian(function(a) return (a ^ 3):sum() end))(x))
        local function checked(a)
            return tocha.autograd.checkpoint(function(t) return tocha.dropout(t:exp(), 0.0):sum() end, a)
        end
        assert_close(func.jacrev(func.grad(checked))(w), w:exp():diag())
    end)

    it("over modules", function()
        tocha.manual_seed(2)
        local net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)):double()
        local state = {}
        for name, p in net:named_parameters() do
            state[name] = p
        end
        local function of_state(s) return func.functional_call(net, s, x):square():sum() end
        local grads = func.grad(of_state)(state)
        net(x):square():sum():backward()
        for name, p in net:named_parameters() do
            assert_close(grads[name], p.grad)
            assert.is_true(grads[name].requires_grad)
        end
        local laplace = func.vmap(function(a)
            return func.hessian(function(t) return net(t):sum() end)(a):diagonal():sum()
        end)(x)
        assert.are.equal("3", tostring(laplace.shape))
        net:zero_grad()
        laplace:square():sum():backward()
        assert.is_truthy(net[1].weight.grad)
    end)
end)
