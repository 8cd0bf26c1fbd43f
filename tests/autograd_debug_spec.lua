--- Checkpointing, gradcheck, graphs as text, and the warning about graphs that grow.

local tocha = require "tocha"
local nn = require "nn"

local autograd = tocha.autograd
local f64 = {dtype = "float64"}

local function leaf(values)
    return tocha.tensor(values, f64):requires_grad_()
end

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
end

local function collect()
    collectgarbage()
    collectgarbage()
end

describe("checkpoint", function()
    --- Values and gradients of f by its inputs and by w.
    local function results(run, f, w)
        tocha.manual_seed(3)
        local x = leaf {{0.5, -1}, {2, 0.25}}
        w.grad = nil
        local y = run(f, x, 3)
        local after = tocha.rand(2):tolist()
        local g = tocha.grad(y:sum(), {x, w}, {create_graph = true})
        local h = tocha.grad(g[1]:square():sum(), {x, w}, {materialize_grads = true, retain_graph = true})
        y:sum():backward()
        return {y:tolist(), after, g[1]:tolist(), g[2]:tolist(), h[1]:tolist(), h[2]:tolist(), x.grad:tolist(),
            w.grad:tolist(), tocha.rand(2):tolist()}
    end

    it("gives the same values, gradients of any order and random numbers", function()
        local w = leaf {{1, 2}, {3, 4}}
        local function f(x, n)
            local h = x
            for _ = 1, n do
                h = tocha.dropout(h:matmul(w):tanh(), 0.3)
            end
            h[1]:mul_(2)
            return h:softmax(2) * h
        end
        local function plain(g, ...) return g(...) end
        assert.are.same(results(plain, f, w), results(autograd.checkpoint, f, w))
        local function nested(x, n) return autograd.checkpoint(f, x * 1, n):exp() end
        assert.are.same(results(plain, nested, w), results(autograd.checkpoint, nested, w))
    end)

    it("saves memory", function()
        local layers = {}
        for i = 1, 8 do
            layers[i] = nn.Linear(64, 64)
        end
        local function block(h, from, to)
            for i = from, to do
                h = layers[i](h):tanh()
            end
            return h
        end
        local function peak(run)
            local x = tocha.randn(2048, 64)
            collect()
            collectgarbage("stop")
            tocha.reset_peak_memory_stats()
            local before = tocha.memory_stats().live
            local h = x
            for i = 1, 8, 2 do
                h = run(block, h, i, i + 1)
                collect()
            end
            local held = tocha.memory_stats().live - before
            h:sum():backward()
            collectgarbage("restart")
            return tocha.memory_stats().peak - before, held
        end
        local _, plain_held = peak(function(f, ...) return f(...) end)
        local _, held = peak(autograd.checkpoint)
        assert.is_true(held < 0.6 * plain_held, ("%d bytes held, %d without"):format(held, plain_held))
    end)

    it("runs the function as it is without recording", function()
        local calls = 0
        local x = leaf {1}
        local y = tocha.no_grad(autograd.checkpoint, function(v) calls = calls + 1 return v * 2 end, x)
        assert.is_false(y.requires_grad)
        assert.are.equal(1, calls)
        local a, b, c = autograd.checkpoint(function(v) return v * 2, "text", nil end, x)
        assert.is_true(a.requires_grad and b == "text" and c == nil)
        a:sum():backward()
        assert.are.same({2}, x.grad:tolist())
        local m = nn.Linear(1, 1)
        autograd.checkpoint(m, tocha.ones(1, 1)):sum():backward()
        assert.are.same({{1}}, m.weight.grad:tolist())
    end)

    it("finds out when the function does something else the second time, or fails", function()
        local x = leaf {1, 2}
        local turn = 0
        local function changing(v)
            turn = turn + 1
            return turn == 1 and v:exp():sin() or v:sin():exp()
        end
        assert_raises(function() autograd.checkpoint(changing, x):sum():backward() end,
            "checkpoint: the function called exp", "where it had called sin")
        turn = 0
        local function longer(v)
            turn = turn + 1
            return turn == 1 and v:exp() or v:exp():exp()
        end
        assert_raises(function() autograd.checkpoint(longer, x):sum():backward() end,
            "checkpoint: the function recorded 2 ops when it was run again, 1 the first time")
        turn = 0
        local function failing(v)
            turn = turn + 1
            assert(turn == 1, "again!")
            return v:exp()
        end
        assert_raises(function() autograd.checkpoint(failing, x):sum():backward() end, "again!")
        assert_raises(function() autograd.checkpoint(failing, x) end, "again!")
        assert_raises(function() autograd.checkpoint(5) end, "checkpoint: expected a function, got 5")
        x:exp():sum():backward()
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("frees its values as a graph does, and leaves nothing behind", function()
        local x = leaf {1, 2}
        local y = autograd.checkpoint(function(v) return v:exp():square() end, x):sum()
        y:backward({retain_graph = true})
        y:backward()
        assert_raises(function() y:backward() end, "freed by an earlier backward")
        collect()
        local stats = tocha.memory_stats()
        for _ = 1, 20 do
            local z = autograd.checkpoint(function(v) return v:exp():square() end, x):sum()
            tocha.grad(z, x)
            autograd.checkpoint(function(v) return v:exp() end, x)
        end
        y = nil
        collect()
        collect()
        assert.is_nil(y)
        assert.is_true(tocha.memory_stats().tensors <= stats.tensors)
    end)
end)

describe("gradcheck", function()
    local Wrong = autograd.Function {
        name = "Wrong",
        forward = function(_, x) return x:square() end,
        backward = function(_, g) return g * 3 end,
    }

    it("agrees with right gradients, of several inputs and outputs", function()
        local a, b = leaf {{0.3, 1.2}, {-0.7, 0.4}}, leaf {0.5, 2}
        local function f(x, y, k) return x:matmul(y) * k, x:det(), "text" end
        assert.is_true(autograd.gradcheck(f, {a, b, 3}))
        assert.is_true(autograd.gradgradcheck(f, {a, b, 3}))
        assert.is_true(autograd.gradcheck(tocha.sin, a:detach():requires_grad_()))
        assert.is_true(autograd.gradcheck(function(x) return x:detach() * 0 + 1 end, {a}, {atol = 1}))
    end)

    it("names the element that is wrong", function()
        assert_raises(function() autograd.gradcheck(Wrong, {leaf {{1, 2}}}) end,
            "gradcheck: the derivative of output 1[1, 1] by input 1[1, 1] is 3 by backward, 2", "differences of 1e-06")
        local ok, problem = autograd.gradcheck(Wrong, {leaf {{1, 2}}}, {raise_exception = false})
        assert.is_false(ok)
        assert.is_truthy(problem:find("output 1[1, 1]", 1, true))
        local Detached = autograd.Function {
            forward = function(ctx, x)
                ctx:save_for_backward(x)
                return x:square()
            end,
            backward = function(ctx, g) return g * 2 * ctx.saved_tensors[1]:detach() end,
        }
        assert.is_true(autograd.gradcheck(Detached, {leaf {1.5}}))
        assert_raises(function() autograd.gradgradcheck(Detached, {leaf {1.5}}) end,
            "gradgradcheck: the derivative of output 1[1] by input 1[1] is 0 by backward")
    end)

    it("says what it needs", function()
        assert_raises(function() autograd.gradcheck(tocha.sin, {tocha.ones(1)}) end, "no input requires grad")
        local coarse = tocha.ones(1):requires_grad_()
        assert_raises(function() autograd.gradcheck(tocha.sin, {coarse}) end, "input 1 is float32")
        assert_raises(function() autograd.gradcheck(1, {leaf {1}}) end, "expected a function, got 1")
        assert_raises(function() autograd.gradcheck(tocha.argmax, {leaf {1}}) end, "gave no floating-point tensor")
        assert_raises(function() autograd.gradcheck(tocha.sin, {leaf {1}}, {epsilon = 1}) end, "unknown option")
    end)
end)

describe("graph", function()
    local function text(x, options)
        return (autograd.graph(x, options):gsub(" at [^\n\" ]*:%d+", ""))
    end

    it("is a tree of names and shapes, shared parts shown once", function()
        local x, w = leaf {1, 2}, leaf {{1, 2}}
        local y = x * 2
        local z = (y * w + y):sum()
        assert.are.equal([[
sum scalar float64
`- input: add 1x2 float64
   |- input: mul 1x2 float64
   |  |- input: mul 2 float64
   |  |  |- input: leaf 2 float64
   |  |  `- other: constant scalar
   |  `- other: leaf 1x2 float64
   `- other: mul (see 4)]], text(z))
        assert.is_truthy(autograd.graph(z):find("autograd_debug_spec.lua:%d+"))
        assert.are.equal("leaf 2 float64", autograd.graph(x))
    end)

    it("shows values, and Graphviz dot", function()
        local x = leaf {1, 2}
        local y = (x:exp() * 2):sum()
        local values = text(y, {values = true})
        assert.is_truthy(values:find("leaf 2 float64 = tensor({1, 2}, float64)", 1, true), values)
        assert.is_truthy(values:find("exp 2 float64 = tensor({2.7183, 7.3891}, float64)", 1, true), values)
        local dot = text(y, {dot = true})
        assert.is_truthy(dot:find("^digraph {.*}$"), dot)
        assert.is_truthy(dot:find('n%d+ %-> n%d+ %[label = "input"%]'), dot)
        assert.is_truthy(dot:find('label = "exp 2 float64"', 1, true), dot)
    end)

    it("may be deep", function()
        local y = leaf {1}
        for _ = 1, 5000 do
            y = y + 1
        end
        assert.is_truthy(#autograd.graph(y) > 5000)
    end)

    it("says what it needs", function()
        assert_raises(function() autograd.graph(5) end, "graph: expected a tensor, got 5")
        assert_raises(function() autograd.graph(tocha.ones(1)) end, "graph: the tensor does not require grad")
        assert_raises(function() autograd.graph(leaf {1}, {value = true}) end, "unknown option")
    end)
end)

describe("a graph that keeps growing", function()
    --- What a process of its own writes to standard error.
    local function warnings(code)
        local path = os.tmpname()
        local file = assert(io.open(path, "w"))
        file:write('local tocha = require "tocha"\nlocal w = tocha.ones(3):requires_grad_()\n', code)
        file:close()
        local pipe = assert(io.popen(("lua5.4 %s 2>&1"):format(path)))
        local text = pipe:read("a")
        pipe:close()
        os.remove(path)
        return text, path
    end

    it("is warned about once, with the line", function()
        local text, path = warnings [[
local total, other = 0, 0
for _ = 1, 300 do
    local loss = (w * 2):sum()
    loss:backward()
    total = total + loss
    other = other + loss
end]]
        local expected = ("tocha: %s:7: add extends a graph that has grown over 100 backward passes"):format(path)
        assert.are.equal(1, select(2, text:gsub("tocha: ", "")), text)
        assert.is_truthy(text:find(expected, 1, true), text)
        assert.is_truthy(text:find("loss:item() or loss:detach()", 1, true), text)
    end)

    it("is not seen in training that forgets its graphs", function()
        assert.are.equal("", (warnings [[
local total, kept = 0, w * 2
for i = 1, 300 do
    local loss = (w * kept):sum()
    for _ = 1, 200 do loss = loss + 1 end
    loss:backward({retain_graph = true})
    total = total + loss:item()
    if i % 10 == 0 then kept = w * 2 end
end]]))
    end)
end)
