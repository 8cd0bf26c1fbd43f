--- What a tensor can be asked about its place in the graph, and hooks.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local methods = {}

local raw = {}
for _, name in ipairs {"backward", "requires_grad_", "retain_grad", "detach", "detach_", "is_inference"} do
    raw[name] = core.methods[name]
end

--- Adds the gradients of this tensor by all leaves it was computed from to their grad. gradient: that of the tensor
--- itself, of its shape; may be left out for one element.
--- Options: gradient; retain_graph = true keeps the values that the graph has saved, for another backward;
--- create_graph = true makes gradients that can be differentiated; inputs, a list of tensors: only theirs are filled.
--- > local x = tocha.tensor({1., 2.}):requires_grad_(); (x * x):sum():backward(); return x.grad
--- tensor({2, 4})
function methods.backward(x, ...)
    return raw.backward(x, ...)
end

--- Whether operators on this leaf are recorded, so that it gets gradients: on is true unless given. Gives the tensor.
--- Only floating-point tensors; an error for what was computed.
--- > tocha.ones(2):requires_grad_().requires_grad
--- true
function methods.requires_grad_(x, ...)
    return raw.requires_grad_(x, ...)
end

--- Lets a tensor that was computed keep its gradient in grad, as leaves do. Gives the tensor.
--- > x = tocha.tensor({3.}):requires_grad_()
--- > y = (x * x):retain_grad(); (y * 2):backward(); return y.grad
--- tensor({2})
function methods.retain_grad(x)
    return raw.retain_grad(x)
end

--- The same memory outside the graph: no gradient flows through it.
--- > tocha.ones(2, {requires_grad = true}):detach().requires_grad
--- false
function methods.detach(x)
    return raw.detach(x)
end

--- Takes the tensor itself out of the graph. Gives the tensor. An error for views of tensors in the graph.
--- > local y = tocha.ones(2, {requires_grad = true}) * 2; return y:detach_().is_leaf
--- true
function methods.detach_(x)
    return raw.detach_(x)
end

--- Whether the tensor was made in inference_mode.
--- > tocha.ones(1):is_inference()
--- false
function methods.is_inference(x)
    return raw.is_inference(x)
end

local function check(who, x, f)
    if not core.is_tensor(x) then
        raise("%s: expected a tensor, got %s", who, options.describe(x))
    elseif type(f) ~= "function" then
        raise("%s: expected a function, got %s", who, options.describe(f))
    end
end

--- Has f(gradient) called whenever a backward has the gradient of this tensor, before it is added to a leaf or goes on;
--- f gives nil, or a gradient to go on with. Hooks run in the order in which they were registered. An in-place
--- operator afterwards makes a new value, which the hook does not concern. f is kept as long as the graph: one that
--- refers to its own tensor keeps it alive until it is removed.
--- Gives a handle: handle:remove() ends it, and so does the end of a block that holds it in a local <close>.
--- > x = tocha.tensor({1., 2.}):requires_grad_()
--- > handle = x:register_hook(function(g) return g * 10 end); x:sum():backward(); return x.grad
--- tensor({10, 10})
function methods.register_hook(x, f)
    check("register_hook", x, f)
    return core._register_hook(x, f, false)
end

--- Has f(tensor) called whenever a backward has added to the grad of this leaf, to step an optimiser at once, say, and
--- free the gradient. Gives a handle as register_hook does.
--- > x = tocha.tensor({1.}):requires_grad_()
--- > handle = x:register_post_accumulate_grad_hook(function(t) t.grad:mul_(5) end); x:sum():backward(); return x.grad
--- tensor({5})
function methods.register_post_accumulate_grad_hook(x, f)
    check("register_post_accumulate_grad_hook", x, f)
    local tensor = setmetatable({x}, {__mode = "v"})
    return core._register_hook(x, function()
        if tensor[1] then
            f(tensor[1])
        end
    end, true)
end

return methods
