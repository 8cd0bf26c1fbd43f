--- The tape: backward, grad, recording, in-place writes, versions, large graphs, memory.

local tocha = require "tocha"
local gradcheck = require "tests.harness.gradcheck"

local quick = os.getenv("TOCHA_QUICK") == "1"

local f64 = {dtype = "float64"}

local function leaf(values)
    return tocha.tensor(values, f64):requires_grad_()
end

local function list(t)
    return t:tolist()
end

local function line()
    return debug.getinfo(2, "l").currentline
end

--- Whether f raises an error that contains all the texts.
local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
    return message
end

describe("backward", function()
    it("fills the gradients of leaves and adds to those that are there", function()
        local x, y = leaf {1, 2, 3}, leaf {4, 5, 6}
        local loss = (x * y):sum()
        loss:backward()
        assert.are.same({4, 5, 6}, list(x.grad))
        assert.are.same({1, 2, 3}, list(y.grad))
        loss = (x * 2):sum()
        loss:backward()
        assert.are.same({6, 7, 8}, list(x.grad))
        x.grad = nil
        loss = (x * 2):sum()
        loss:backward()
        assert.are.same({2, 2, 2}, list(x.grad))
    end)

    it("adds over all uses of a tensor", function()
        local x = leaf {3}
        local y = x * x * x + x
        y:sum():backward()
        assert.are.same({28}, list(x.grad))
    end)

    it("takes the gradient of an output with several elements", function()
        local x = leaf {1, 2}
        local y = x * x
        y:backward(tocha.tensor({1, 10}, f64))
        assert.are.same({2, 40}, list(x.grad))
        assert_raises(function() (x * x):backward() end, "backward: the output has 2 elements (2)")
        assert_raises(function() (x * x):backward(tocha.ones(3, f64)) end, "backward: ", "3", "2")
    end)

    it("needs something that requires grad", function()
        assert_raises(function() tocha.ones(1):backward() end, "backward: the output does not require grad")
        assert_raises(function()
            local x = leaf {1}
            tocha.no_grad(function() return x * 2 end):backward()
        end, "computed without recording")
    end)

    it("frees the graph unless retain_graph is given", function()
        local x = leaf {1, 2}
        local y = (x * x):sum()
        y:backward({retain_graph = true})
        y:backward()
        assert.are.same({4, 8}, list(x.grad))
        assert_raises(function() y:backward() end, "freed by an earlier backward", "retain_graph = true")
        assert.are.same({4, 8}, list(x.grad))
    end)

    it("can run again through a part that saved nothing", function()
        local x = leaf {1, 2}
        local y = x + 1
        y:sum():backward()
        y:sum():backward()
        assert.are.same({2, 2}, list(x.grad))
    end)

    it("gives the leaf's dtype and shape, summed over broadcast dims", function()
        local x = tocha.ones({}, {dtype = "float32"}):requires_grad_()
        local y = x * tocha.ones(2, 3, f64)
        y:sum():backward()
        assert.are.equal("float32", x.grad.dtype)
        assert.are.equal("scalar", tostring(x.grad.shape))
        assert.are.equal(6, x.grad:item())
    end)

    it("keeps a gradient of its own for each leaf", function()
        local x, y = leaf {1}, leaf {1}
        local z = x + y
        z:sum():backward()
        x.grad:mul_(5)
        assert.are.same({1}, list(y.grad))
    end)

    it("leaves the gradients of what is between alone, but for retain_grad", function()
        local x = leaf {2}
        local y = x * x
        local z = y * 3
        y:retain_grad()
        z:sum():backward()
        assert.are.same({3}, list(y.grad))
        assert.is_nil(z.grad)
    end)

    it("with create_graph gives gradients that can be differentiated", function()
        local x = leaf {2}
        local y = x ^ 3
        y:sum():backward({create_graph = true})
        local g = x.grad
        assert.are.same({12}, list(g))
        x.grad = nil
        g:sum():backward()
        assert.are.same({12}, list(x.grad))
    end)

    it("knows its options", function()
        local y = leaf({1}):sum()
        assert_raises(function() y:backward({retain = true}) end,
            'backward: unknown option "retain"; known: gradient, retain_graph, create_graph')
        assert_raises(function() y:backward(1) end, "backward: ")
    end)
end)

describe("grad", function()
    it("gives gradients without touching the leaves' own", function()
        local x, y = leaf {1, 2}, leaf {3, 4}
        local gx, gy = table.unpack(tocha.grad((x * y):sum(), {x, y}))
        assert.are.same({3, 4}, list(gx))
        assert.are.same({1, 2}, list(gy))
        assert.is_nil(x.grad)
        assert.is_true(tocha.is_tensor(tocha.grad((x * y):sum(), x)))
    end)

    it("differentiates by tensors in the middle", function()
        local x = leaf {3}
        local y = x * x
        local z = y * y
        assert.are.same({18}, list(tocha.grad(z:sum(), y)))
    end)

    it("says which input is not used, or gives nil for it", function()
        local x, y = leaf {1}, leaf {1}
        assert_raises(function() tocha.grad((x * 2):sum(), {x, y}) end, "input 2", "allow_unused = true")
        local grads = tocha.grad((x * 2):sum(), {x, y}, {allow_unused = true})
        assert.are.same({2}, list(grads[1]))
        assert.is_nil(grads[2])
        assert_raises(function() tocha.grad((x * 2):sum(), {tocha.ones(1)}) end, "input 1 does not require grad")
    end)

    it("takes the outputs' gradients", function()
        local x = leaf {1, 2}
        local y, z = x * 2, x * x
        local g = tocha.grad({y, z}, x, {grad_outputs = {tocha.tensor({1, 1}, f64), tocha.tensor({10, 100}, f64)}})
        assert.are.same({22, 402}, list(g))
        assert_raises(function() tocha.grad({y, z}, x, {grad_outputs = {y}}) end, "grad_outputs has 1 entries for 2")
    end)

    it("goes as often as asked with create_graph", function()
        local x = leaf {2}
        local d = x ^ 5
        for _, expected in ipairs {80, 160, 240, 240, 120} do
            d = tocha.grad(d:sum(), x, {create_graph = true})
            assert.are.same({expected}, list(d))
        end
    end)

    it("retains the graph where it is told to", function()
        local x = leaf {2}
        local y = (x * x):sum()
        tocha.grad(y, x, {retain_graph = true})
        tocha.grad(y, x)
        assert_raises(function() tocha.grad(y, x) end, "freed by an earlier backward")
    end)

    it("is right to second order for composed functions", function()
        local a = leaf {{0.5, -1.2, 0.3}, {1.1, 0.7, -0.4}}
        local b = leaf {{0.2, 0.9}, {-0.6, 0.1}, {0.8, -0.3}}
        local functions = {
            function(x, w) return (x:matmul(w):tanh() * w:sum()):sigmoid():log() end,
            function(x, w) return x:matmul(w):softmax(2):square():sum(1):sqrt() end,
            function(x, w) return tocha.cross_entropy(x:matmul(w), tocha.tensor {2, 1}) * w:exp():mean() end,
            function(x, w) return (x:t():expand(2, 3, 2) + w):narrow(1, 2, 1):prod(2) / (x:square():sum() + 1) end,
            function(x, w) return tocha.cat({x:relu():matmul(w), w:narrow(1, 1, 2):abs()}, 2):max() * x:mean() end,
        }
        for i, f in ipairs(functions) do
            assert(not gradcheck.first(f, {a, b}), i .. ": " .. tostring(gradcheck.first(f, {a, b})))
            assert(not gradcheck.second(f, {a, b}), i .. ": " .. tostring(gradcheck.second(f, {a, b})))
        end
    end)
end)

describe("recording", function()
    it("is off in no_grad, which gives its function's results", function()
        local x = leaf {1}
        local y, text = tocha.no_grad(function(factor, word) return x * factor, word end, 2, "done")
        assert.is_false(y.requires_grad)
        assert.are.equal("done", text)
        assert.is_true((x * 2).requires_grad)
        tocha.no_grad(function()
            tocha.enable_grad(function() assert.is_true((x * 2).requires_grad) end)
            assert.is_false((x * 2).requires_grad)
        end)
    end)

    it("comes back when a block ends, however it ends", function()
        do
            local guard <close> = tocha.no_grad()
            assert.is_false(tocha.is_grad_enabled(), tostring(guard))
        end
        assert.is_true(tocha.is_grad_enabled())
        pcall(function()
            local guard <close> = tocha.no_grad()
            error(guard)
        end)
        assert.is_true(tocha.is_grad_enabled())
        local ok, problem = pcall(tocha.no_grad, function() error({code = 7}) end)
        assert.is_false(ok)
        assert.are.equal(7, problem.code)
        assert.is_true(tocha.is_grad_enabled())
        pcall(tocha.no_grad, function() tocha.ones(2):view(3) end)
        assert.is_true(tocha.is_grad_enabled())
        pcall(tocha.no_grad, function() tocha.enable_grad(function() error("x") end) end)
        assert.is_true(tocha.is_grad_enabled())
        assert_raises(function() tocha.no_grad(3) end, "function")
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("comes back when a coroutine ends, fails or is closed", function()
        local function yielding() return tocha.no_grad(function(v) return coroutine.yield(v) end, 5) end
        local co = coroutine.create(yielding)
        assert.are.same({true, 5}, {coroutine.resume(co)})
        assert.are.same({true, "back"}, {coroutine.resume(co, "back")})
        assert.is_true(tocha.is_grad_enabled())
        co = coroutine.create(function()
            local guard <close> = tocha.no_grad()
            coroutine.yield(guard)
        end)
        coroutine.resume(co)
        coroutine.close(co)
        assert.is_true(tocha.is_grad_enabled())
        co = coroutine.create(function() tocha.no_grad(function() coroutine.yield() error("late") end) end)
        coroutine.resume(co)
        assert.is_false(coroutine.resume(co))
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("works in coroutines: graphs built and run back in them", function()
        local x = leaf {2}
        local co = coroutine.wrap(function()
            local y = x * x
            coroutine.yield(y)
            y:sum():backward()
        end)
        co()
        co()
        assert.are.same({4}, list(x.grad))
    end)

    it("is left as it was by a backward that fails", function()
        local x = leaf {1, 2}
        local y = x * x
        local z = y:exp()
        y:add_(1)
        local ok = pcall(function() (z * y:log()):sum():backward({create_graph = true}) end)
        assert.is_true(ok)
        local a = x * x
        local b = a * a
        tocha.no_grad(function() a:add_(1) end)
        assert.is_false(pcall(function() b:sum():backward({create_graph = true}) end))
        assert.is_true(tocha.is_grad_enabled())
        assert.is_false(pcall(tocha.no_grad, function() b:sum():backward() end))
        assert.is_true(tocha.is_grad_enabled())
        x.grad = nil;
        (x * 3):sum():backward()
        assert.are.same({3, 3}, list(x.grad))
    end)

    it("ends at detach", function()
        local x = leaf {2}
        local d = (x * x):detach()
        assert.is_false(d.requires_grad)
        assert.is_true(d.is_leaf)
        local y = x * d
        y:sum():backward()
        assert.are.same({4}, list(x.grad))
        d:fill_(9)
        assert.are.same({9}, list(d))
    end)
end)

describe("requires_grad_", function()
    it("is for floating-point leaves", function()
        assert_raises(function() tocha.tensor({1, 2}):requires_grad_() end,
            "requires_grad_: only floating-point and complex tensors can require grad, got int64")
        local y = leaf({1}) * 2
        assert_raises(function() y:requires_grad_(false) end, "computed by mul", "detach()")
        local x = leaf {1}
        assert.is_false(x:requires_grad_(false).requires_grad)
        assert.is_true(tocha.zeros(2, {requires_grad = true}).is_leaf)
        assert_raises(function() tocha.ones(1).grad = tocha.ones(1) end, "does not require grad")
        assert_raises(function() x:requires_grad_().grad = tocha.ones(2, f64) end, "grad: expected float64 1")
    end)

    it("leaves a graph that was built before alone", function()
        local x = leaf {3}
        local y = x * x
        x:requires_grad_(false)
        assert.is_false((x * 2).requires_grad)
        y:sum():backward()
        assert.is_nil(x.grad)
    end)
end)

describe("a saved value that was changed in place", function()
    it("is an error that names both lines", function()
        local x = leaf {1, 2}
        local y = x * 1
        local used = line() + 1
        local z = y * y
        tocha.no_grad(function()
            y:add_(1)
        end)
        local changed = line() - 2
        local message = assert_raises(function() z:sum():backward() end, "mul (", "changed in place at")
        assert.is_truthy(message:find(("autograd_spec.lua:%d)"):format(used), 1, true))
        assert.is_truthy(message:find(("autograd_spec.lua:%d "):format(changed), 1, true))
    end)

    it("is found through views and through the output", function()
        local x = leaf {1, 2}
        local y = x:exp()
        local w = y:select(1, 1)
        w:mul_(3)
        assert_raises(function() y:sum():backward() end, "backward through exp", "changed in place")
        local base = x * 1
        local part = base:narrow(1, 1, 1)
        local z = part:square()
        base:add_(1)
        assert_raises(function() z:sum():backward() end, "backward through square")
    end)

    it("does not matter where the gradient does not read it", function()
        local x = leaf {1, 2}
        local y = x * 1
        local z = y + y
        y:mul_(7)
        z:sum():backward()
        assert.are.same({2, 2}, list(x.grad))
    end)
end)

describe("memory of a graph", function()
    local function memory()
        collectgarbage()
        collectgarbage()
        local stats = tocha.memory_stats()
        return stats.live, stats.tensors
    end

    it("a chain of a million nodes runs back and is freed without recursion", function()
        local n = quick and 100000 or 1000000
        local before_live, before_tensors = memory()
        local x = leaf {1}
        local y = x
        for _ = 1, n do
            y = y + 1
        end
        assert.are.same({n + 1.0}, list(y))
        y:sum():backward()
        assert.are.same({1}, list(x.grad))
        y = x * 1
        for _ = 1, n do
            y = y * 1
        end
        x, y = nil, nil
        local live, tensors = memory()
        assert.are.equal(before_tensors, tensors)
        assert.is_true(live <= before_live, ("%d bytes live, %d before"):format(live, before_live))
        assert.is_nil(x or y)
    end)

    it("a wide graph and one with 2^60 paths take no longer than their nodes", function()
        local x = leaf {1}
        local parts = {}
        for i = 1, 20000 do
            parts[i] = x * i
        end
        tocha.cat(parts):sum():backward()
        assert.are.same({20000 * 20001 / 2}, list(x.grad))
        x.grad = nil
        local y = x
        for _ = 1, 60 do
            y = y + y
        end
        y:sum():backward()
        assert.are.same({2.0 ^ 60}, list(x.grad))
    end)

    it("ten thousand training steps end at the memory of step 100", function()
        tocha.manual_seed(1)
        local w1, b1 = tocha.randn(8, 4):requires_grad_(), tocha.zeros(8):requires_grad_()
        local w2, b2 = tocha.randn(3, 8):requires_grad_(), tocha.zeros(3):requires_grad_()
        local parameters = {w1, b1, w2, b2}
        local input, target = tocha.randn(16, 4), tocha.randint(3, {16})
        local function step(i)
            local hidden = tocha.linear(input, w1, b1):relu() * 1
            hidden[{{}, 1}] = hidden[{{}, 2}] * 0.5
            local loss = tocha.cross_entropy(tocha.dropout(tocha.linear(hidden, w2, b2), 0.1), target)
            if i % 10 == 0 then
                loss = loss + tocha.grad(loss, w1, {create_graph = true}):square():sum() * 0.01
            end
            if i % 7 == 0 then
                pcall(function() return loss:view(5) end)
            end
            loss:backward()
            for _, p in ipairs(parameters) do
                tocha.sgd_step({p}, {p.grad}, {lr = 0.05})
                p.grad = nil
            end
            return loss
        end
        local function run(from, to)
            for i = from, to do
                tocha.no_grad(function() assert(step) end)
                tocha.enable_grad(step, i)
            end
        end
        local guard <close> = tocha.no_grad()
        run(1, 100)
        local live, tensors = memory()
        run(101, quick and 600 or 10000)
        local live_after, tensors_after = memory()
        assert.are.equal(tensors, tensors_after)
        assert.are.equal(live, live_after)
        assert.is_not_nil(guard)
    end)

    it("an output does not keep itself alive", function()
        local before = select(2, memory())
        for _ = 1, 50 do
            local x = leaf {1, 2}
            local y = x:exp()
            y = y:softmax(1) * y
            y:tanh():sum():backward({retain_graph = true})
        end
        assert.are.equal(before, select(2, memory()))
    end)

    it("a gradient graph is freed with its gradients", function()
        local before = select(2, memory())
        do
            local x = leaf {1, 2}
            for _ = 1, 20 do
                local g = tocha.grad((x ^ 3):sum(), x, {create_graph = true})
                tocha.grad(g:sum(), x)
            end
        end
        assert.are.equal(before, select(2, memory()))
    end)
end)
