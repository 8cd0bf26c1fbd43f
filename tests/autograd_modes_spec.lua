--- Modes: recording, inference, anomaly; as functions and as guards; following coroutines. What a tensor says about its
--- place in the graph.

local tocha = require "tocha"

local autograd = tocha.autograd
local f64 = {dtype = "float64"}

local function leaf(values)
    return tocha.tensor(values, f64):requires_grad_()
end

local function line()
    return debug.getinfo(2, "l").currentline
end

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
    return tostring(message)
end

describe("a mode", function()
    it("holds in its coroutine and in what that resumes, not outside while it is suspended", function()
        local on = tocha.is_grad_enabled
        local co = coroutine.wrap(function()
            tocha.no_grad(function()
                coroutine.yield(on())
                local inner = coroutine.wrap(function() coroutine.yield(on()) return on() end)
                local first = inner()
                coroutine.yield(first)
                local second = tocha.enable_grad(inner)
                coroutine.yield(second)
            end)
            return on()
        end)
        assert.is_false(co())
        assert.is_true(on())
        assert.is_true((leaf {1} * 2).requires_grad)
        assert.is_false(co())
        assert.is_true(on())
        assert.is_true(co())
        assert.is_true(on())
        assert.is_true(co())
    end)

    it("of one suspended coroutine does not reach another", function()
        local function worker(switch)
            return coroutine.wrap(function()
                return switch(function()
                    for _ = 1, 3 do
                        coroutine.yield((leaf {1} * 2).requires_grad)
                    end
                end)
            end)
        end
        local off, on = worker(tocha.no_grad), worker(tocha.enable_grad)
        tocha.no_grad(function()
            for _ = 1, 3 do
                assert.is_false(off())
                assert.is_true(on())
                assert.is_false(tocha.is_grad_enabled())
            end
        end)
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("ends with a coroutine that is dropped inside", function()
        for _ = 1, 10 do
            local co = coroutine.wrap(function() tocha.no_grad(coroutine.yield) end)
            co()
            co = nil
            assert.is_nil(co)
        end
        collectgarbage()
        collectgarbage()
        assert.is_true(tocha.is_grad_enabled())
        assert.is_true(coroutine.wrap(tocha.is_grad_enabled)())
    end)

    it("is given back by guards in whatever order they close", function()
        local a = tocha.no_grad()
        local b = tocha.enable_grad()
        assert.is_true(tocha.is_grad_enabled())
        getmetatable(a).__close(a)
        assert.is_true(tocha.is_grad_enabled())
        getmetatable(b).__close(b)
        assert.is_true(tocha.is_grad_enabled())
        a = tocha.no_grad()
        getmetatable(a).__close(a)
        getmetatable(a).__close(a)
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("set by set_grad_enabled holds in the block around, for a function, or until it is given back", function()
        assert.is_false(tocha.set_grad_enabled(false, tocha.is_grad_enabled))
        tocha.no_grad(function()
            tocha.set_grad_enabled(true)
            assert.is_true(tocha.is_grad_enabled())
        end)
        assert.is_true(tocha.is_grad_enabled())
        do
            local guard <close> = tocha.set_grad_enabled(false)
            assert.is_false(tocha.is_grad_enabled(), tostring(guard))
        end
        assert.is_true(tocha.is_grad_enabled())
        tocha.set_grad_enabled(false)
        assert.is_false(coroutine.wrap(tocha.is_grad_enabled)())
        tocha.set_grad_enabled(true)
        assert_raises(function() tocha.set_grad_enabled(1) end, "set_grad_enabled: expected true or false, got 1")
        assert_raises(function() tocha.inference_mode(1) end, "inference_mode: expected a function, got 1")
    end)
end)

describe("inference_mode", function()
    it("makes tensors that never join a graph", function()
        local x = leaf {1, 2}
        local y = tocha.inference_mode(function()
            assert.is_true(tocha.is_inference_mode_enabled())
            assert.is_false(tocha.enable_grad(tocha.is_grad_enabled))
            return x * 2
        end)
        assert.is_true(y:is_inference())
        assert.is_false(y.requires_grad)
        assert.is_false(tocha.is_inference_mode_enabled())
        assert_raises(function() return x * y end, "mul: other was made in inference_mode", "clone()")
        assert.are.same({3, 6}, (x + y):tolist())
        assert.are.same({4, 8}, (y * 2):tolist())
        assert_raises(function() y:add_(1) end, "add_: a tensor made in inference_mode must not be changed in place")
        assert_raises(function() y:requires_grad_() end, "requires_grad_: a tensor made in inference_mode")
        local z = y:clone()
        assert.is_false(z:is_inference())
        local w = (x * z):sum()
        w:backward()
        assert.are.same({2, 4}, x.grad:tolist())
        tocha.inference_mode(function() y:add_(1) end)
        assert.are.same({3, 5}, y:tolist())
    end)

    it("marks views too, and is a guard", function()
        local x = tocha.ones(2, 2)
        do
            local guard <close> = tocha.inference_mode()
            assert.is_true(x[1]:is_inference(), tostring(guard))
        end
        assert.is_false(x[1]:is_inference())
    end)
end)

describe("a tensor", function()
    it("knows its place in the graph", function()
        local x, w = leaf {1, 2}, leaf {3, 4}
        local made = line() + 1
        local y = x:exp() * w
        assert.is_nil(x.grad_fn)
        assert.are.equal("mul", y.grad_fn:name())
        assert.are.equal("mul(input = exp, other = leaf 2)", tostring(y.grad_fn))
        assert.is_truthy(y.grad_fn.where:find("autograd_modes_spec.lua:" .. made, 1, true))
        local next_functions = y.grad_fn.next_functions
        assert.are.equal(2, #next_functions)
        assert.are.equal("exp", next_functions[1][1]:name())
        assert.are.equal(1, next_functions[1][2])
        assert.are.equal("leaf", next_functions[2][1]:name())
        assert.are.equal(w, next_functions[2][1].variable)
        assert.are.equal(y.grad_fn, y.grad_fn)
        assert.are_not.equal(y.grad_fn, x:exp().grad_fn)
        assert.are.equal("cat(tensors[1] = mul, tensors[2] = constant 2)",
            tostring(tocha.cat({y, tocha.ones(2, f64)}).grad_fn))
        assert.is_true(x.is_leaf and x.requires_grad and not y.is_leaf)
        assert.are.equal(1, tocha.topk(y, 1).grad_fn.next_functions[1][2])
    end)

    it("retains its gradient where it is told to", function()
        local x = leaf {2}
        local y = x * x
        assert.is_false(y.retains_grad)
        assert.are.equal(y, y:retain_grad())
        assert.is_true(y.retains_grad)
        assert.is_false(x:retain_grad().retains_grad)
        assert_raises(function() tocha.ones(1):retain_grad() end, "retain_grad: the tensor does not require grad")
        local z = y * 3
        y = y:mul_(1)
        assert.is_false(y.retains_grad)
        z:sum():backward()
        assert.is_nil(y.grad)
    end)

    it("leaves the graph by detach_, but not as a view", function()
        local x = leaf {1, 2}
        local y = x * 3
        assert.are.equal(y, y:detach_())
        assert.is_true(y.is_leaf)
        assert.is_false(y.requires_grad)
        local z = x * 2
        assert_raises(function() z[1]:detach_() end, "detach_: a view", "use detach()")
        assert.is_false(x:detach_().requires_grad)
    end)

    it("of integers has no gradient, whoever asks", function()
        local x = leaf {1, 2}
        local index = tocha.tensor {2, 1}
        local y = x:index_select(1, index):sum()
        assert_raises(function() tocha.grad(y, {x, index}) end,
            "grad: input 2 is int64: only floating-point and complex tensors have gradients")
        assert_raises(function() y:backward({inputs = {index}}) end, "backward: input 1 is int64")
        assert_raises(function() index:requires_grad_() end, "only floating-point and complex tensors can require grad")
        local values, positions = x:sort()
        assert.is_true(values.requires_grad)
        assert.is_false(positions.requires_grad)
        assert_raises(function() positions:sum():backward() end, "does not require grad")
        assert_raises(function() x:argmax():backward() end, "does not require grad")
    end)
end)

describe("gradients", function()
    it("that are undefined are nil or zeros", function()
        local x, y = leaf {1, 2}, leaf {{1, 2}}
        local grads = tocha.grad(x:sum(), {x, y}, {materialize_grads = true})
        assert.are.same({1, 1}, grads[1]:tolist())
        assert.are.same({{0, 0}}, grads[2]:tolist())
        assert.are.equal("float64", grads[2].dtype)
        assert_raises(function() tocha.grad(x:sum(), {x, y}) end, "allow_unused = true")
    end)

    it("have the layout of their leaf, and keep it", function()
        local x = tocha.zeros(3, 2, f64):t():requires_grad_()
        local y = (x * tocha.arange(6):view(2, 3)):sum()
        y:backward()
        assert.are.same(x:stride(), x.grad:stride())
        assert.are.same({{1, 2, 3}, {4, 5, 6}}, x.grad:tolist())
        local kept = x.grad
        x:square():sum():backward()
        assert.are.same(x:stride(), kept:stride())
        assert.are.equal(kept:data_ptr(), x.grad:data_ptr())
        local c = tocha.zeros(2, 3, f64):requires_grad_()
        c:t():matmul(tocha.ones(2, 2, f64)):sum():backward()
        assert.is_true(c.grad:is_contiguous())
    end)

    it("go to some inputs alone, leaves or not, if backward is told so", function()
        local x, w = leaf {1, 2}, leaf {3, 4}
        local y = x * w
        local z = (y * y):sum()
        z:backward({inputs = {x, y}})
        assert.are.same({18, 64}, x.grad:tolist())
        assert.are.same({6, 16}, y.grad:tolist())
        assert.is_nil(w.grad)
    end)

    it("of several outputs come in one pass", function()
        local x = leaf {1, 2}
        autograd.backward({(x * 2):sum(), x * x}, {false, tocha.tensor({1, 10}, f64)})
        assert.are.same({4, 42}, x.grad:tolist())
        assert_raises(function() autograd.backward({x:sum(), x}, {x}) end, "backward: 1 gradients for 2 outputs")
    end)
end)

describe("detect_anomaly", function()
    it("names the first op of a forward that makes nan or inf, at its line", function()
        local x = leaf {0, 1}
        local expected
        local message = assert_raises(function()
            autograd.detect_anomaly(function()
                local y = x * 2
                expected = line() + 1
                local z = y:log()
                return z + 1
            end)
        end, "log: anomaly: 0 nan and 1 inf in the result (float64 2), made of finite numbers")
        assert.is_truthy(message:find(("autograd_modes_spec.lua:%d: "):format(expected), 1, true), message)
        assert.is_false(autograd.is_anomaly_enabled())
    end)

    it("names the op and the line of a forward whose backward makes them", function()
        local x = leaf {0, 4}
        local recorded = line() + 1
        local y = x:sqrt()
        local loss = y:sum()
        local message = assert_raises(function()
            local guard <close> = autograd.detect_anomaly()
            assert(autograd.is_anomaly_enabled(), guard)
            loss:backward({retain_graph = true})
        end, "anomaly: the backward of sqrt", "inf in the gradient of input (2)", "came in is finite")
        assert.is_truthy(message:find(("autograd_modes_spec.lua:%d)"):format(recorded), 1, true), message)
        loss:backward()
        assert.are.equal(math.huge, x.grad[1]:item())
    end)

    it("lets infinities be that were asked for or came in", function()
        autograd.detect_anomaly(function()
            local scores = tocha.tensor({{1., 2.}, {3., 4.}}):requires_grad_()
            local masked = scores:masked_fill(tocha.tensor {{false, true}, {false, false}}, -math.huge)
            masked:softmax(2):sum():backward()
            assert(tocha.full({2}, math.huge):exp():isinf():all():item())
            assert(tocha.tensor({0 / 0}):mul_(2):isnan():all():item())
        end)
    end)

    it("looks at in-place operators and at several outputs", function()
        assert_raises(function()
            autograd.detect_anomaly(function() return tocha.zeros(2):reciprocal_() end)
        end, "reciprocal: anomaly")
        autograd.set_detect_anomaly(true)
        local ok = pcall(function() return tocha.zeros(2) / 0 end)
        autograd.set_detect_anomaly(false)
        assert.is_false(ok)
        assert.is_true((pcall(function() return tocha.zeros(2) / 0 end)))
    end)
end)
