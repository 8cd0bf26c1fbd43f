--- The programs of tests/reference/autograd.py: PyTorch's values and gradients, or an error where it raises
--- one.

local tocha = require "tocha"
local expected = require "tests.reference.autograd"

local func = tocha.func
local f64 = {dtype = "float64"}

local function leaves()
    local x = tocha.tensor({{0.5, -1.25, 2.0}, {1.5, 0.75, -0.5}}, f64):requires_grad_()
    local w = tocha.tensor({0.25, -0.75, 1.25}, f64):requires_grad_()
    return x, w
end

local function plain()
    local x, w = leaves()
    return x:detach(), w:detach()
end

local function grads(y, ...)
    return table.unpack(tocha.grad(y:sum(), {...}, {allow_unused = true}))
end

local function mixed(x, w)
    return (x:exp() * w):sum() * x:square():sum() + x:matmul(w):sin():prod()
end

--- Each program, with words of the error where PyTorch raises one.
local programs = {
    write_to_a_slice = {function()
        local x, w = leaves()
        local y = x * 2
        y[1]:mul_(w)
        return y, grads(y:sin(), x, w)
    end},
    write_to_a_base_of_a_view = {function()
        local x, w = leaves()
        local y = x * 2
        local row = y[2]
        y:mul_(w)
        return row, grads(row:exp() + y[1], x, w)
    end},
    fill_a_constant = {function()
        local x, w = leaves()
        local y = tocha.zeros(3, 3, f64)
        y[1] = w
        y[{{2, 3}}] = x * w
        return y, grads(y:exp(), x, w)
    end},
    write_to_a_leaf = {function() leaves():mul_(2) end, "mul_: a leaf that requires grad"},
    write_to_a_view_of_a_leaf = {function() leaves()[1]:mul_(2) end, "mul_: a view of a leaf"},
    saved_value_changed = {function()
        local x, w = leaves()
        local y = x * w
        local z = y * y
        y:add_(1)
        return grads(z, x)
    end, "backward through mul", "changed in place at"},
    saved_result_changed = {function()
        local x = leaves()
        local y = x:exp()
        y:mul_(2)
        return grads(y, x)
    end, "backward through exp", "its result", "changed in place at"},
    unread_value_changed = {function()
        local x, w = leaves()
        local y = x * 1
        local z = y + w
        y:mul_(7)
        return grads(z, x, w)
    end},
    twice_through_a_freed_graph = {function()
        local x, w = leaves()
        local y = (x * w):sum()
        y:backward()
        y:backward()
    end, "freed by an earlier backward", "retain_graph = true"},
    gradient_of_integers = {function() tocha.tensor({1, 2}):requires_grad_() end, "only floating-point", "int64"},
    hooks_in_order = {function()
        local x, w = leaves()
        local y = x * w
        y:register_hook(function(g) return g * 2 end)
        y:register_hook(function(g) return g + 1 end)
        x:register_hook(function(g) return g * 10 end)
        y:sum():backward()
        return x.grad, w.grad
    end},
    hook_before_a_write = {function()
        local x = leaves()
        local y = x * 1
        local seen
        y:register_hook(function(g) seen = g end)
        y:mul_(5)
        y:sum():backward()
        return seen, x.grad
    end},
    hook_on_a_retained_gradient = {function()
        local x, w = leaves()
        local y = x * w
        y:retain_grad()
        y:register_hook(function(g) return g * 3 end)
        y:sum():backward()
        return y.grad, x.grad
    end},
    hook_of_another_shape = {function()
        local x = leaves()
        x:register_hook(function() return tocha.ones(5, f64) end)
        x:sum():backward()
    end, "a hook must return nil or a gradient like the one it was given (float64 2x3)"},
    inference_tensor_saved = {function()
        local x, w = leaves()
        return x * tocha.inference_mode(function() return w * 2 end)
    end, "other was made in inference_mode"},
    inference_tensor_written = {function()
        tocha.inference_mode(tocha.ones, 2):add_(1)
    end, "made in inference_mode must not be changed in place"},
    unused_input = {function()
        local x, w = leaves()
        tocha.grad(x:sum(), w)
    end, "do not depend on input 1", "allow_unused"},
    materialized = {function()
        local x, w = leaves()
        return table.unpack(tocha.grad(x:sum(), {x, w}, {materialize_grads = true}))
    end},
    layout_of_a_transposed_leaf = {function()
        local x = tocha.zeros(3, 2, f64):t():requires_grad_();
        (x * (tocha.arange(6):to("float64") - 1):view(2, 3)):sum():backward()
        return x.grad, tocha.tensor(x.grad:stride(), f64)
    end},
    transform_grad = {function() return table.unpack(func.grad(mixed, {1, 2})(plain())) end},
    transform_hessian = {function() return func.hessian(mixed, 2)(plain()) end},
    transform_jacobians = {function()
        local function f(a, b) return (a * b:cos()):sum(1) * a[1], a:matmul(b) end
        local p, q = func.jacrev(f)(plain())
        return p, q, func.jacfwd(f, 2)(plain())
    end},
    transform_products = {function()
        local x, w = plain()
        local function f(a, b) return a:matmul(b):tanh() end
        local value, direction = func.jvp(f, {x, w}, {x * 2, w - 1})
        local result, pull = func.vjp(f, x, w)
        return value, direction, result, pull(tocha.tensor({2., -1.}, f64))
    end},
    transform_vmap = {function()
        local x, w = plain()
        local function loss(b, a) return (a:dot(b):tanh() - a:sum()) ^ 2 end
        local each = func.vmap(func.grad(loss), {in_dims = {false, 1}})(w, x)
        local moved = func.vmap(function(a) return a:softmax(1):cumsum(1) end, {in_dims = 2, out_dims = 2})(x)
        local total = func.hessian(function(b)
            return func.vmap(function(a) return a:dot(b):tanh() end)(x):sum()
        end)(w)
        return each, moved, total
    end},
}

--- Numbers whose products are exact in bfloat16, or are rounded once.
local function halves()
    local x = tocha.tensor({{0.5, -1.25, 2.0}, {1.5, 0.7421875, -0.5}}):requires_grad_()
    local w = tocha.tensor({{0.25, -0.75, 1.2578125}, {1.0, 0.5, -2.0}, {0.75, 1.5, 0.1015625}}):requires_grad_()
    return x, w
end

programs.autocast_products = {function()
    local x, w = halves()
    local y, z, loss
    tocha.autocast("cpu", {dtype = "bfloat16"}, function()
        y = x:mm(w)
        z = tocha.linear(y:relu(), w)
        loss = tocha.mse_loss(z, tocha.ones(2, 3), {reduction = "sum"})
    end)
    assert(y.dtype == "bfloat16" and z.dtype == "bfloat16" and loss.dtype == "float32")
    return y, z, loss, table.unpack(tocha.grad(loss, {x, w}))
end}

programs.autocast_switched_off = {function()
    local x, w = halves()
    local _ <close> = tocha.autocast("cpu")
    local y, z = x:mm(w)
    tocha.autocast("cpu", {enabled = false}, function() z = y:float():mm(w) end)
    local joined = tocha.cat {y, z}
    return z, joined, table.unpack(tocha.grad(joined:sum(), {x, w}))
end}

programs.grad_scaler = {function()
    local w = tocha.tensor({1.0, -2.0}):requires_grad_()
    local optimizer = require("optim").SGD({w}, {lr = 0.25})
    local scaler, seen = tocha.amp.GradScaler {init_scale = 64, growth_interval = 2}, {}
    for _, factor in ipairs {1, 1 / 0, 0.5, 2, 0 / 0, 1} do
        optimizer:zero_grad()
        scaler:scale((w * factor):sum()):backward()
        scaler:step(optimizer)
        scaler:update()
        seen[#seen + 1] = w:detach():clone()
        seen[#seen + 1] = tocha.tensor(scaler:get_scale())
    end
    return table.unpack(seen)
end}

describe("as in PyTorch:", function()
    for name in pairs(expected) do
        assert(programs[name], name .. " is missing")
    end

    for name, program in pairs(programs) do
        it(name:gsub("_", " "), function()
            local results = table.pack(pcall(program[1]))
            local wanted = assert(expected[name], "no reference")
            assert.are.equal(not wanted.error, results[1], tostring(results[2]))
            if wanted.error then
                assert.is_true(#program > 1)
                for i = 2, #program do
                    assert(tostring(results[2]):find(program[i], 1, true), results[2])
                end
                return
            end
            assert.are.equal(#wanted, results.n - 1)
            for k, row in ipairs(wanted) do
                local got = results[k + 1]:detach()
                assert.are.same(row.shape, {table.unpack(got:size())})
                local flat = got:reshape(-1):tolist()
                for i, value in ipairs(row) do
                    assert(math.abs(flat[i] - value) <= 1e-10 * (1 + math.abs(value)),
                        ("result %d, element %d: %.17g, PyTorch gives %.17g"):format(k, i, flat[i], value))
                end
            end
        end)
    end
end)
