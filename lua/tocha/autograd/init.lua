--- tocha.autograd: everything about derivatives but the transforms of tocha.func.

local core = require "tocha.core"
local checks = require "tocha.autograd.gradcheck"
local methods = require "tocha.autograd.methods"
local modes = require "tocha.autograd.modes"

local autograd = {}

local grad, backward = core.grad, core.methods.backward

--- Gradients of outputs, a tensor or a list, by inputs, a tensor or a list, without touching the inputs' grad. Gives a
--- tensor for a tensor and a list for a list.
--- Options: grad_outputs, the gradient of each output (needed where an output has more than one element);
--- retain_graph = true keeps what the graph has saved for another backward; create_graph = true makes gradients that
--- can be differentiated; allow_unused = true gives nil for an input that the outputs do not depend on, and
--- materialize_grads = true zeros.
--- > local x = tocha.tensor({3.}):requires_grad_(); return tocha.grad(x ^ 2, x)
--- tensor({6})
function autograd.grad(...)
    return grad(...)
end

--- Adds the gradients of all tensors together by their leaves to the leaves' grad: x:backward() for a list. grads and
--- options as there.
--- > local x = tocha.tensor({1.}):requires_grad_(); tocha.autograd.backward({x * 2, x * 3}); return x.grad
--- tensor({5})
function autograd.backward(tensors, grads, options)
    if grads == nil and options ~= nil then
        return backward(tensors, nil, options)
    end
    return backward(tensors, grads, options)
end

for name, f in pairs(modes) do
    autograd[name] = f
end
for name, f in pairs(checks) do
    autograd[name] = f
end
autograd.Function = require("tocha.autograd.function").new
autograd.checkpoint = require "tocha.autograd.checkpoint"
autograd.graph = require "tocha.autograd.graph"

--- Puts the documented functions in the place of the core's.
function autograd._install()
    core.autograd = autograd
    for name, f in pairs(modes) do
        core[name] = f
    end
    core.grad = autograd.grad
    for name, f in pairs(methods) do
        core.methods[name] = f
        core[name] = f
    end
end

return autograd
