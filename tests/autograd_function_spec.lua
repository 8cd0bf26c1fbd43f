--- autograd.Function, hooks on tensors and modules, and errors that come out of Lua inside a backward.

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

local function memory()
    for _ = 1, 3 do
        collectgarbage()
    end
    local stats = tocha.memory_stats()
    return stats.live, stats.tensors
end

--- x^3 with a backward in operators, which saves an input and an output.
local Cube = autograd.Function {
    name = "Cube",
    forward = function(ctx, x)
        local y = x * x * x
        ctx:save_for_backward(x, y)
        return y
    end,
    backward = function(ctx, g)
        local x, y = table.unpack(ctx.saved_tensors)
        return g * 3 * y / x
    end,
}

describe("Function", function()
    it("is differentiated by its backward, to any order where that is written in operators", function()
        local x = leaf {2, 3}
        local y = Cube(x)
        assert.are.same({8, 27}, y:tolist())
        assert.are.equal("Cube", y.grad_fn:name())
        local d = y
        for _, expected in ipairs {{12, 27}, {12, 18}, {6, 6}} do
            d = tocha.grad(d:sum(), x, {create_graph = true})
            assert.are.same(expected, d:tolist())
        end
        assert.is_true(autograd.gradcheck(Cube, {leaf {0.5, -1.5}}))
        assert.is_true(autograd.gradgradcheck(Cube.apply, {leaf {0.5, -1.5}}))
    end)

    it("takes any arguments and gives any results", function()
        local seen
        local Mix = autograd.Function {
            forward = function(ctx, a, factor, b, text)
                ctx.factor = factor
                seen = table.pack(table.unpack(ctx.needs_input_grad))
                return a * factor, text, b:sum()
            end,
            backward = function(ctx, ga, gtext, gb)
                assert(gtext == nil)
                return ga * ctx.factor, nil, gb:expand(3)
            end,
        }
        local a, b = leaf {1, 2}, leaf {1, 2, 3}
        local y, text, s = Mix(a, 5, b, "word")
        assert.are.equal("word", text)
        assert.are.same({true, false, true, false}, {table.unpack(seen)});
        (y:sum() + s * 2):backward()
        assert.are.same({5, 5}, a.grad:tolist())
        assert.are.same({2, 2, 2}, b.grad:tolist())
    end)

    it("gets zeros, or nil where it says so, for outputs that are not used", function()
        local function make(materialize)
            local got = {}
            local Two = autograd.Function {
                forward = function(ctx, x)
                    ctx:set_materialize_grads(materialize)
                    return x * 1, x * 2
                end,
                backward = function(_, g1, g2)
                    got[1], got[2] = g1, g2
                    return g1
                end,
            }
            local x = leaf {1, 2}
            local y = Two(x)
            y:sum():backward()
            return got
        end
        assert.are.same({0, 0}, make(true)[2]:tolist())
        assert.is_nil(make(false)[2])
    end)

    it("can have outputs without gradient", function()
        local Pick = autograd.Function {
            forward = function(ctx, x)
                local rounded, positions = x:round(), x:argsort()
                ctx:mark_non_differentiable(rounded)
                return x * 2, rounded, positions
            end,
            backward = function(_, g) return g * 2 end,
        }
        local x = leaf {1.4, 0.6}
        local y, rounded, positions = Pick(x)
        assert.is_true(y.requires_grad)
        assert.is_false(rounded.requires_grad or positions.requires_grad)
        y:sum():backward()
        assert.are.same({2, 2}, x.grad:tolist())
    end)

    it("hands an argument through as a tensor of its own", function()
        local Reverse = autograd.Function {
            forward = function(_, x) return x end,
            backward = function(_, g) return -g end,
        }
        local x = leaf {1, 2}
        local y = Reverse(x)
        assert.is_true(x.is_leaf and not y.is_leaf)
        y:sum():backward()
        assert.are.same({-1, -1}, x.grad:tolist())
    end)

    it("is not recorded where nothing needs it", function()
        assert.is_false(Cube(tocha.ones(1, f64)).requires_grad)
        assert.is_false(tocha.no_grad(Cube, leaf {1}).requires_grad)
    end)

    it("finds out about saved values that were changed or freed", function()
        local x = leaf {2, 3}
        local a = x * 1
        local y = Cube(a)
        a:add_(1)
        assert_raises(function() y:sum():backward() end, "backward through Cube", "saved tensor 1 was changed in place",
            "autograd_function_spec.lua")
        y = Cube(x)
        y:mul_(2)
        assert_raises(function() y:sum():backward() end, "saved tensor 2 was changed in place")
        y = Cube(x):sum()
        y:backward({retain_graph = true})
        y:backward()
        assert_raises(function() y:backward() end, "backward through Cube", "freed by an earlier backward")
    end)

    it("with once_differentiable has no second derivative, and says so", function()
        local Once = autograd.Function {
            name = "Once",
            once_differentiable = true,
            forward = function(ctx, x)
                ctx:save_for_backward(x)
                return x:square()
            end,
            backward = function(ctx, g) return g * 2 * ctx.saved_tensors[1] end,
        }
        local x = leaf {3}
        local g = tocha.grad(Once(x):sum(), x, {create_graph = true})
        assert.are.same({6}, g:tolist())
        assert_raises(function() g:sum():backward() end, "Once: its backward is once_differentiable")
    end)

    it("says what is wrong with a definition, a forward or a backward", function()
        local function with(backward, forward)
            return autograd.Function {name = "F", forward = forward or function(_, x) return x * 1 end,
                backward = backward}
        end
        local x = leaf {1, 2}
        local function run(F, ...)
            local args = {...}
            return function() F(x, table.unpack(args)):sum():backward() end
        end
        assert_raises(run(with(function() return tocha.ones(3) end)), "F: backward must return nil or a", "shape 2",
            "tensor argument 1", "3")
        assert_raises(run(with(function() return 5 end)), "F: backward must return nil", "got 5")
        assert_raises(run(with(function(_, g) return g, g, g end)), "F: backward gave 3 gradients, forward took 1")
        assert_raises(run(with(function(_, g) return g, g end), 7), "F: backward gave a gradient for argument 2")
        local function adding(_, y) return y:add_(1) end
        assert_raises(run(with(print, adding)), "F: forward changed argument 1 in place")
        assert_raises(function() autograd.Function {forward = print} end, "Function: expected a table with the")
        local extra = {forward = print, backward = print, back = 1}
        assert_raises(function() autograd.Function(extra) end, "unknown entry \"back\"")
        local function saving(ctx) ctx:save_for_backward(1) end
        assert_raises(run(with(print, saving)), "save_for_backward: expected tensors")
        local half = with(function(_, g) return g:to("float32") end)
        x.grad = nil
        run(half)()
        assert.are.equal("float64", x.grad.dtype)
    end)

    it("sums a gradient that is broadcast to its argument", function()
        local Expand = autograd.Function {
            forward = function(_, x) return x:expand(3, 2):clone() end,
            backward = function(_, g) return g end,
        }
        local x = leaf {1, 2}
        Expand(x):sum():backward()
        assert.are.same({3, 3}, x.grad:tolist())
    end)

    it("leaves no memory behind", function()
        local live, tensors = memory()
        for _ = 1, 20 do
            local x = leaf {1, 2}
            local y = Cube(x)
            local g = tocha.grad(y:sum(), x, {create_graph = true})
            g:sum():backward()
        end
        local live_after, tensors_after = memory()
        assert.are.equal(tensors, tensors_after)
        assert.is_true(live_after <= live + 4096, ("%d more"):format(live_after - live))
    end)
end)

describe("register_hook", function()
    it("sees and changes gradients before they are added or go on", function()
        local x = leaf {1, 2}
        local y = x * 3
        local seen = {}
        y:register_hook(function(g) seen[#seen + 1] = g:tolist() end)
        y:register_hook(function(g) return g * 10 end)
        y:register_hook(function(g) seen[#seen + 1] = g:tolist() end)
        y:retain_grad()
        x:register_hook(function(g) return g + 1 end)
        y:sum():backward()
        assert.are.same({{1, 1}, {10, 10}}, seen)
        assert.are.same({10, 10}, y.grad:tolist())
        assert.are.same({31, 31}, x.grad:tolist())
        assert.are.same({31}, {tocha.grad((x * 3):sum() * 10, x)[1]:item()})
    end)

    it("ends with remove, or with a block", function()
        local x = leaf {1}
        local calls = 0
        local handle = x:register_hook(function() calls = calls + 1 end)
        x:sum():backward()
        handle:remove()
        handle:remove()
        x:sum():backward()
        do
            local scoped <close> = x:register_hook(function() calls = calls + 10 end)
            x:sum():backward({retain_graph = scoped ~= nil})
        end
        x:sum():backward()
        assert.are.equal(11, calls)
    end)

    it("can itself be differentiated", function()
        local x = leaf {2}
        local y = x * 1
        y:register_hook(function(g) return g * y end)
        local g = tocha.grad((y * y):sum(), x, {create_graph = true})
        assert.are.same({8}, g:tolist())
        assert.are.same({16}, tocha.grad(g:sum(), x):tolist()) -- passes y, and its hook, once more
    end)

    it("concerns the value before an in-place operator that follows", function()
        local x = leaf {1}
        local y = x * 1
        local got
        y:register_hook(function(g) got = g:item() end)
        y:mul_(5)
        y:sum():backward()
        assert.are.equal(5, got)
    end)

    it("says what is wrong", function()
        local x = leaf {1, 2}
        assert_raises(function() tocha.ones(1):register_hook(print) end, "the tensor does not require grad")
        assert_raises(function() x:register_hook(5) end, "register_hook: expected a function, got 5")
        local handle = x:register_hook(function() return tocha.ones(3, f64) end)
        assert_raises(function() x:sum():backward() end, "like the one it was given (float64 2)", "float64 3")
        handle:remove()
        handle = x:register_hook(function() return "text" end)
        assert_raises(function() x:sum():backward() end, "register_hook: a hook must return nil", "text")
        handle:remove()
        x:sum():backward()
        assert.are.same({1, 1}, x.grad:tolist())
    end)

    it("after accumulation is given the leaf itself", function()
        local x, w = leaf {1, 2}, leaf {3, 4}
        local order = {}
        x:register_post_accumulate_grad_hook(function(t)
            assert(rawequal(t, x))
            order[#order + 1] = t.grad:tolist()
            tocha.no_grad(function() t:sub_(t.grad) end)
            t.grad = nil
        end)
        w:register_post_accumulate_grad_hook(function(t) order[#order + 1] = t.grad:tolist() end);
        (x * w):sum():backward()
        assert.are.equal(2, #order)
        assert.is_nil(x.grad)
        assert.are.same({-2, -2}, x:tolist())
        assert.are.same({1, 2}, w.grad:tolist())
        assert_raises(function() (x * 2):register_post_accumulate_grad_hook(print) end, "only leaves accumulate", "mul")
    end)

    it("that fails, or yields, ends the backward with its own error and leaves the session usable", function()
        local live, tensors = memory()
        for _ = 1, 5 do
            local x = leaf {1, 2}
            local y = x:exp()
            local problem = {code = 7}
            local handle = y:register_hook(function() error(problem) end)
            local ok, got = pcall(function() y:sum():backward({retain_graph = true}) end)
            assert.is_false(ok)
            assert.are.equal(problem, got)
            handle:remove()
            handle = y:register_hook(function() coroutine.yield() end)
            assert_raises(function() y:sum():backward({retain_graph = true}) end, "yield")
            local co = coroutine.create(function() y:sum():backward({retain_graph = true}) end)
            assert.is_false(coroutine.resume(co))
            handle:remove()
            handle = y:register_hook(function() return tocha.ones(2):view(3) end)
            assert_raises(function() y:sum():backward({retain_graph = true}) end, "view")
            handle:remove()
            assert.is_true(tocha.is_grad_enabled())
            y:sum():backward()
            assert.is_true((x.grad - y):abs():max():item() < 1e-12)
        end
        local live_after, tensors_after = memory()
        assert.are.equal(tensors, tensors_after)
        assert.is_true(live_after <= live + 4096, ("%d more"):format(live_after - live))
    end)

    it("may run a backward of its own, in modes of its own", function()
        local x, w = leaf {2}, leaf {3}
        local modes = {}
        x:register_hook(function()
            modes[1] = tocha.is_grad_enabled()
            tocha.enable_grad(function() (w * w):sum():backward() end)
            modes[2] = tocha.is_grad_enabled()
        end)
        x:square():sum():backward()
        assert.are.same({false, false}, modes)
        assert.are.same({6}, w.grad:tolist())
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("is let go with its graph", function()
        local live, tensors = memory()
        for _ = 1, 20 do
            local big = tocha.ones(100)
            local x = leaf {1}
            local y = x * 2
            y:register_hook(function() return nil, big end)
            y:sum():backward()
        end
        local live_after, tensors_after = memory()
        assert.are.equal(tensors, tensors_after)
        assert.is_true(live_after <= live + 4096, ("%d more"):format(live_after - live))
    end)
end)

describe("a module's hooks", function()
    it("see arguments and outputs, and may replace them", function()
        local m = nn.Linear(2, 2):double()
        local seen = {}
        local first = m:register_forward_pre_hook(function(module, args)
            assert(module == m)
            seen[#seen + 1] = args.n
            return {args[1] * 2}
        end)
        local second = m:register_forward_hook(function(_, args, output)
            seen[#seen + 1] = args[1]:tolist()
            return output * 0
        end)
        local x = tocha.ones(1, 2, f64)
        assert.are.same({{0, 0}}, m(x):tolist())
        assert.are.same({1, {{2, 2}}}, seen)
        second:remove()
        assert.is_true(m(x):equal(m:forward(x * 2)))
        first:remove()
        assert.is_true(m(x):equal(m:forward(x)))
    end)

    it("see the gradients of a backward, and may replace those of the arguments", function()
        local m = nn.Linear(2, 1):double()
        local x = leaf {{1, 2}}
        local inputs, outputs
        local handle = m:register_full_backward_hook(function(module, grad_input, grad_output)
            assert(module == m)
            inputs, outputs = grad_input[1]:tolist(), grad_output[1]:tolist()
            return {grad_input[1] * 100}
        end)
        local before = m:register_full_backward_pre_hook(function(_, grad_output) return {grad_output[1] * 2} end);
        (m(x) * 3):sum():backward()
        local w = m.weight:detach()
        assert.are.same({{6}}, outputs)
        assert.are.same((w * 6):tolist(), inputs)
        assert.are.same((w * 600):tolist(), x.grad:tolist())
        assert.are.same({{6, 12}}, m.weight.grad:tolist())
        before:remove()
        handle:remove()
        x.grad = nil
        m(x):sum():backward()
        assert.are.same(w:tolist(), x.grad:tolist())
    end)

    it("are called where no argument needs a gradient, and where several come", function()
        local Sum = nn.class("Sum")
        function Sum:init() self.w = nn.Parameter(tocha.ones(2, f64)) end
        function Sum:forward(a, b) return a * self.w, b + self.w end
        local m = Sum()
        local calls = {}
        m:register_full_backward_hook(function(_, grad_input, grad_output)
            calls[#calls + 1] = {#grad_input, grad_output[1]:tolist(), grad_output[2]:tolist()}
        end)
        local p, q = m(tocha.ones(2, f64), tocha.ones(2, f64));
        (p * 2 + q * 3):sum():backward()
        local a, b = leaf {1, 2}, leaf {3, 4}
        p, q = m(a, b);
        (p * 2 + q * 3):sum():backward()
        assert.are.same({{0, {2, 2}, {3, 3}}, {2, {2, 2}, {3, 3}}}, calls)
        assert.are.same({2, 2}, a.grad:tolist())
        assert_raises(function() m:register_forward_hook(1) end, "Sum: register_forward_hook: expected a function")
    end)
end)
