--- tocha.func.vmap: arguments and results, randomness, chunks, nesting, in-place operators, and what it refuses.

local tocha = require "tocha"
local nn = require "nn"
local compare = require "tests.harness.compare"

local func = tocha.func
local vmap = func.vmap
local f64 = {dtype = "float64"}

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
end

local function assert_close(got, expected)
    assert.is_nil(compare.close(got:detach(), expected:detach(), {rtol64 = 1e-10, rtol32 = 1e-4, atol32 = 1e-5}))
end

--- Random numbers that are the same in every run.
local function numbers(...)
    return (tocha.arange(tocha.zeros(...):numel()):to("float64") * 12.9898):sin():view(...)
end

describe("vmap", function()
    it("writes a number, whatever kind of one it is, at positions", function()
        local x, at = numbers(3, 2, 4), tocha.tensor {{1, 2}, {2, 1}}
        for _, value in ipairs {2.5, tocha.tensor(2.5, f64)} do
            for _, name in ipairs {"scatter", "scatter_add"} do
                local f = function(a) return a[name](a, 1, at, value) end
                assert_close(vmap(f)(x), tocha.stack {f(x[1]), f(x[2]), f(x[3])})
            end
        end
        local many = numbers(3)
        assert_close(vmap(function(a, v) return a:scatter(1, at, v) end)(x, many),
            tocha.stack {x[1]:scatter(1, at, many[1]), x[2]:scatter(1, at, many[2]), x[3]:scatter(1, at, many[3])})
        local z = tocha.complex(x:float(), 1)
        assert_close(tocha.view_as_real(vmap(function(a) return a:scatter(1, at, tocha.complex(0, 1)) end)(z))[2],
            tocha.view_as_real(z[2]:scatter(1, at, tocha.complex(0, 1))))
    end)

    it("maps along any dims of arguments and results", function()
        local x, w = numbers(3, 5, 2), numbers(5, 4)
        local function f(a, b) return a:matmul(b), (a * 2):t() end
        local y, z = vmap(f, {in_dims = {2, 1}, out_dims = {2, -1}})(numbers(3, 5, 2), numbers(5, 2, 4))
        assert.are.equal("3x5x4", tostring(y.shape))
        assert.are.equal("2x3x5", tostring(z.shape))
        assert_close(z, (x * 2):permute(3, 1, 2))
        local picked = vmap(function(a) return w:t():matmul(a) end, {in_dims = 3, out_dims = 2})(numbers(5, 3, 2))
        assert_close(picked, tocha.einsum("kn,kis->nsi", {w, numbers(5, 3, 2)}))
    end)

    it("takes tables of tensors, and other values as they are", function()
        local parameters = {w = numbers(4, 3), layers = {{b = numbers(4)}, numbers(2, 4)}, name = "net"}
        local f = vmap(function(p, k, x)
            return {sum = (p.w * x * k):sum() + p.layers[1].b, rest = {p.layers[2]}}
        end, {in_dims = {{w = 1, layers = {{b = 1}, 2}}, false, false}, out_dims = {{sum = 1, rest = {2}}}})
        local result = f(parameters, 10, numbers(3))
        assert_close(result.sum, (parameters.w * numbers(3) * 10):sum(2) + parameters.layers[1].b)
        assert_close(result.rest[1], parameters.layers[2])
    end)

    it("repeats a result that is the same for all samples", function()
        local y = vmap(function() return tocha.ones(2) end)(tocha.zeros(3))
        assert.are.same({{1, 1}, {1, 1}, {1, 1}}, y:tolist())
        local none = table.pack(vmap(function() end)(tocha.zeros(3)))
        assert.are.equal(0, none.n)
    end)

    it("works in chunks", function()
        local x = numbers(7, 3)
        local calls = 0
        local function f(v)
            calls = calls + 1
            return {v:sum(), v * 2}
        end
        local expected = vmap(f, {out_dims = {{1, 2}}})(x)
        calls = 0
        local got = vmap(f, {chunk_size = 3, out_dims = {{1, 2}}})(x)
        assert.are.equal(3, calls)
        assert_close(got[1], expected[1])
        assert_close(got[2], expected[2])
    end)

    it("works without samples", function()
        local y = vmap(function(v) return v:exp():matmul(v), v:topk(2) end)(tocha.zeros(0, 3))
        assert.are.equal("0", tostring(y.shape))
        assert.are.equal("0x2", tostring(vmap(function(v) return (v:topk(2)) end)(tocha.zeros(0, 3)).shape))
    end)

    it("nests", function()
        local x, y = numbers(3, 2), numbers(4, 2)
        local distance = function(a, b) return (a - b):square():sum() end
        local all = vmap(vmap(distance, {in_dims = {false, 1}}), {in_dims = {1, false}})
        assert_close(all(x, y), (x:unsqueeze(2) - y:unsqueeze(1)):square():sum(3))
        local z = numbers(2, 3, 4, 5)
        -- Outer samples are z's dim 2 (3), inner ones dim 2 of what is left (4); softmax runs over the last dim.
        local inner = vmap(function(m) return m:softmax(2):t() end, {in_dims = 2, out_dims = 2})
        assert_close(vmap(inner, {in_dims = 2})(z), z:softmax(4):permute(2, 4, 3, 1))
        assert_close(vmap(vmap(tocha.dot))(z[1], z[2]), (z[1] * z[2]):sum(3))
    end)

    it("writes in place into what is mapped, and into views of it", function()
        local x = numbers(3, 4)
        local y = vmap(function(v)
            local u = v * 1
            u:narrow(1, 1, 2):mul_(v[3])
            u[4] = v:sum()
            u:add_(1)
            return u
        end)(x)
        local expected = x * 1
        expected:narrow(2, 1, 2):mul_(x:narrow(2, 3, 1))
        expected[{{}, 4}] = x:sum(2)
        assert_close(y, expected + 1)
        local shared = tocha.zeros(4, f64)
        assert_raises(function() vmap(function(v) return shared:add_(v) end)(x) end,
            "add_: the result differs from sample to sample", "use add")
        assert.are.same({0, 0, 0, 0}, shared:tolist())
        local original = numbers(3, 2)
        vmap(function(v) v:mul_(2) return v end)(original)
        assert_close(original, numbers(3, 2) * 2)
    end)

    it("has gradients, in place too", function()
        local x = numbers(3, 4):requires_grad_()
        local y = vmap(function(v)
            local u = v:exp() * 1
            u:narrow(1, 2, 2):mul_(v:sum())
            return u:sum()
        end)(x)
        local g = tocha.grad(y:sum(), x)
        local expected = {}
        for i = 1, 3 do
            local v = x[i]:detach():requires_grad_()
            local u = v:exp()
            local z = u[1] + (u[2] + u[3]) * v:sum() + u[4]
            expected[i] = tocha.grad(z, v)
        end
        assert_close(g, tocha.stack(expected))
    end)

    it("promotes dtypes as one sample does", function()
        local x = tocha.ones(3, 2)
        local scale = tocha.ones(3, f64)
        local function f(v, s) return v * s, v * tocha.tensor({1, 2}), s * 2 end
        local a, b, c = vmap(f)(x, scale)
        assert.are.equal("float32", a.dtype)
        assert.are.equal("float32", b.dtype)
        assert.are.equal("float64", c.dtype)
    end)

    it("draws random numbers as it is told to", function()
        local x = tocha.zeros(4, 3)
        assert_raises(function() vmap(function(v) return tocha.dropout(v + 1, 0.5) end)(x) end,
            "random numbers inside vmap", 'randomness = "different"')
        assert_raises(function() vmap(function(v) return v + tocha.rand(3) end)(x) end, "rand: random numbers")
        local draws = {
            function(v) return v + tocha.rand(3) end,
            function(v) return tocha.dropout(v + 1, 0.5) end,
            function(v) return (v * 1):normal_() end,
            function(v) return v + tocha.randperm(3) end,
            function(v) return v + tocha.randint(1, 1000, {3}) end,
        }
        for i, f in ipairs(draws) do
            tocha.manual_seed(5)
            local same = vmap(f, {randomness = "same"})(x)
            local different = vmap(f, {randomness = "different"})(tocha.zeros(40, 3))
            for s = 2, 4 do
                assert(same[s]:equal(same[1]), i)
            end
            local equal = 0
            for s = 2, 40 do
                equal = equal + (different[s]:equal(different[1]) and 1 or 0)
            end
            assert(equal < 30, i)
        end
        local inner = vmap(function(v) return v + tocha.rand(1) end, {randomness = "same"})
        local y = vmap(inner, {randomness = "different"})(tocha.zeros(3, 2, 1))
        assert.is_true(y[{{}, 1}]:equal(y[{{}, 2}]))
        assert.is_false(y[1]:equal(y[2]))
    end)

    it("does one sample after another what has no rule, and says when shapes differ", function()
        local x = tocha.tensor {{1, 0, 2}, {0, 3, 4}}
        assert.are.same({{{1}, {3}}, {{2}, {3}}}, vmap(tocha.nonzero)(x):tolist())
        assert_raises(function() vmap(tocha.nonzero)(tocha.tensor {{1, 0}, {1, 1}}) end,
            "nonzero: inside vmap its results must have one shape", "sample 1", "sample 2")
        assert.are.same({{1, 2}, {3, 4}}, vmap(function(v) return v[v:gt(0)] end)(x):tolist())
        local Double = tocha.autograd.Function {
            forward = function(_, v) return v * 2, 5 end,
            backward = function(_, g) return g * 3 end,
        }
        local leaf = numbers(3, 2):requires_grad_()
        local y = vmap(function(v) return (Double(v)) end)(leaf)
        assert_close(y, leaf * 2)
        assert.are.same({{3, 3}, {3, 3}, {3, 3}}, tocha.grad(y:sum(), leaf):tolist())
    end)

    it("picks and writes at positions of each sample's own", function()
        local x, i = numbers(3, 4, 2), tocha.tensor {{1, 3}, {4, 4}, {2, 1}}
        local expected, put = {}, {}
        for s = 1, 3 do
            expected[s] = x[s]:index({i[s]})
            put[s] = x[s]:index_put({i[s]}, tocha.ones(2, 2, f64), true)
        end
        assert_close(vmap(function(a, k) return a:index({k}) end)(x, i), tocha.stack(expected))
        assert_close(vmap(function(a, k) return a:index_put({k}, tocha.ones(2, 2, f64), true) end)(x, i),
            tocha.stack(put))
        assert_close(vmap(function(k) return x[1]:index({k}) end)(i), tocha.stack {
            x[1]:index({i[1]}), x[1]:index({i[2]}), x[1]:index({i[3]})})
        assert_close(vmap(function(a, k) return a:index_select(1, k) end)(x, i), tocha.stack(expected))
        assert_close(vmap(function(a, k) return nn.functional.embedding(k, a) end)(x, i), tocha.stack(expected))
        local scores = numbers(3, 5)
        local labels = tocha.tensor {2, 5, 1}
        assert_close(vmap(tocha.cross_entropy)(scores, labels),
            tocha.cross_entropy(scores, labels, {reduction = "none"}))
        local weight = tocha.tensor({1., 2., 3., 4., 5.}, f64)
        local weighted = vmap(function(a, l) return tocha.cross_entropy(a, l, weight) end)
        assert_close(weighted(scores:unsqueeze(2):expand(3, 2, 5), tocha.tensor {{2, 3}, {5, 1}, {1, 1}}), tocha.stack {
            tocha.cross_entropy(scores[1]:expand(2, 5), tocha.tensor {2, 3}, weight),
            tocha.cross_entropy(scores[2]:expand(2, 5), tocha.tensor {5, 1}, weight),
            tocha.cross_entropy(scores[3]:expand(2, 5), tocha.tensor {1, 1}, weight)})
    end)

    it("refuses what has no meaning for all samples at once", function()
        local x = numbers(3, 2)
        local function inside(f)
            return function() vmap(f)(x) end
        end
        assert_raises(inside(function(v) return v + v:sum():item() end), "item: inside vmap", "where()")
        assert_raises(inside(function(v) return v:tolist() end), "tolist: inside vmap")
        assert_raises(inside(function(v) if v:sum() < 1 then return v end return v * 2 end), "<: inside vmap")
        assert_raises(inside(function(v) v:sum():backward() return v end), "backward: inside vmap", "tocha.func.grad")
        assert_raises(inside(function(v) return v:requires_grad_() end), "requires_grad_: inside vmap")
        assert_raises(inside(function(v) return v:narrow(1, v[1], 1) end), "narrow")
        assert_raises(inside(function(v) coroutine.yield(v) return v end), "yield")
        assert_raises(inside(function() return 5 end), "vmap: the function must give tensors", "result 1 is 5")
        assert_raises(inside(function(v) return v:view(5) end), "view: ", "2", "5")
        assert.are.equal(0, tocha._vmap_depth())
        local escaped
        vmap(function(v) escaped = v return v end)(x)
        assert_raises(function() return escaped + 1 end, "used after it has ended")
        assert_raises(function() return escaped:item() end, "item: ")
        assert_raises(function() vmap(function(v) return v + escaped end)(x) end, "used after it has ended")
        assert.is_truthy(tostring(vmap(function(v) return v * 1, print and v end)(x)))
        local text
        vmap(function(v) text = tostring(v) return v end)(x)
        assert.are.equal("tensor(float64 2, one of a vmap's 3 samples)", text)
    end)

    it("says what is wrong with its arguments", function()
        local x = numbers(3, 2)
        assert_raises(function() vmap(5) end, "vmap: expected a function, got 5")
        assert_raises(function() vmap(print, {in_dim = 1}) end, "vmap: unknown option \"in_dim\"", "in_dims, out_dims")
        assert_raises(function() vmap(print, {randomness = "some"}) end, "randomness must be")
        assert_raises(function() vmap(print, {chunk_size = 0}) end, "chunk_size must be a whole number from 1")
        assert_raises(function() vmap(tocha.add)(x, numbers(4, 2)) end,
            "argument 2 has 4 samples along dim 1, argument 1 has 3")
        assert_raises(function() vmap(tocha.add, {in_dims = {1}})(x, x) end, "each of the 2 arguments, got 1 entries")
        assert_raises(function() vmap(tocha.sin, {in_dims = 3})(x) end, "in_dims must be a dim in [-2, 2]",
            "argument 1")
        assert_raises(function() vmap(tocha.sin, {in_dims = {false}})(x) end, "no argument is mapped")
        assert_raises(function() vmap(tocha.sin, {out_dims = 5})(x) end, "out_dims must be a dim in [-2, 2]",
            "result 1")
        assert_raises(function() vmap(tocha.sin)(tocha.tensor(1.)) end, "in_dims must be a dim")
    end)
end)

describe("gradients for each sample", function()
    --- Gradients of loss(state, sample) by state, one sample after another.
    local function one_by_one(loss, state, x, y)
        local all = {}
        for s = 1, x:size(1) do
            all[s] = func.grad(loss)(state, x[s], y[s])
        end
        local stacked = {}
        for name in pairs(state) do
            local list = {}
            for s = 1, #all do
                list[s] = all[s][name]
            end
            stacked[name] = tocha.stack(list)
        end
        return stacked
    end

    local function check(net, x, y)
        local state = {}
        for name, p in net:named_parameters() do
            state[name] = p:detach()
        end
        local function loss(parameters, sample, label)
            local scores = func.functional_call(net, parameters, sample:unsqueeze(1))
            return tocha.cross_entropy(scores, label:unsqueeze(1))
        end
        local got = vmap(func.grad(loss), {in_dims = {false, 1, 1}})(state, x, y)
        local expected = one_by_one(loss, state, x, y)
        for name in pairs(state) do
            assert.is_nil(compare.close(got[name], expected[name], {rtol32 = 1e-3, atol32 = 1e-5}), name)
        end
        local total = func.grad(function(parameters)
            return vmap(loss, {in_dims = {false, 1, 1}})(parameters, x, y):sum()
        end)(state)
        for name in pairs(state) do
            assert.is_nil(compare.close(total[name], expected[name]:sum(1), {rtol32 = 1e-3, atol32 = 1e-5}), name)
        end
    end

    it("of a multi-layer perceptron", function()
        tocha.manual_seed(1)
        check(nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)):double(), numbers(6, 5),
            tocha.tensor {1, 2, 3, 1, 2, 3})
    end)

    it("of a convolutional network with normalisation", function()
        tocha.manual_seed(2)
        local Net = nn.class("Net")
        function Net:init()
            self.conv1 = nn.Conv2d(2, 4, 3, {padding = 1})
            self.conv2 = nn.Conv2d(4, 4, 3, {stride = 2, bias = false})
            self.fc = nn.Linear(4, 3)
        end
        function Net:forward(x)
            local h = tocha.max_pool2d(self.conv1(x):relu(), 2)
            h = self.conv2(h)
            h = tocha.layer_norm(h, {h:size(3), h:size(4)})
            return self.fc(h:relu():mean({3, 4}))
        end
        check(Net():double(), numbers(5, 2, 12, 12), tocha.tensor {1, 2, 3, 1, 2})
    end)
end)

describe("functional_call", function()
    it("uses other parameters for one call", function()
        local m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        local before = m:state_dict()
        local zero = {}
        for name, p in m:named_parameters() do
            zero[name] = tocha.zeros_like(p)
        end
        assert.are.same({0}, func.functional_call(m, zero, tocha.ones(2)):tolist())
        for name, tensor in pairs(m:state_dict()) do
            assert.is_true(tensor:equal(before[name]))
        end
        assert_raises(function() func.functional_call(m, {nothing = tocha.ones(1)}, tocha.ones(2)) end,
            'Sequential has no parameter or buffer "nothing"')
        assert.is_false(pcall(func.functional_call, m, zero, tocha.ones(5)))
        assert.is_true(m(tocha.ones(2)):equal(m:forward(tocha.ones(2))))
        assert.are.equal(4, #m:parameters())
        assert_raises(function() func.functional_call(5, {}) end, "functional_call: expected a module, got 5")
    end)

    it("with stacked states runs an ensemble", function()
        tocha.manual_seed(4)
        local nets = {nn.Linear(3, 2), nn.Linear(3, 2), nn.Linear(3, 2)}
        local parameters, buffers = func.stack_module_state(nets)
        assert.is_true(parameters.weight.requires_grad)
        assert.is_nil(next(buffers))
        local x = tocha.rand(5, 3)
        local y = vmap(function(p) return func.functional_call(nets[1], p, x) end)(parameters)
        for i, net in ipairs(nets) do
            assert.is_nil(compare.close(y[i]:detach(), net(x):detach()))
        end
    end)
end)
