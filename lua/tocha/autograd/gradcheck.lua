--- Gradients compared with differences.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local checks = {}

local spec = {
    {"eps", "positive", 1e-6},
    {"atol", "rate", 1e-5},
    {"rtol", "rate", 1e-3},
    {"raise_exception", "boolean", true},
}

local function is_list(x)
    return type(x) == "table" and not core.is_tensor(x)
end

--- The inputs that need a gradient, by position.
local function find_leaves(who, inputs)
    local leaves = {}
    for i, x in ipairs(inputs) do
        if core.is_tensor(x) and x.requires_grad then
            if x.dtype ~= "float64" then
                raise("%s: input %d is %s, too coarse for differences; use :to(\"float64\")", who, i, x.dtype)
            end
            leaves[#leaves + 1] = i
        end
    end
    if #leaves == 0 then
        raise("%s: no input requires grad; call requires_grad_() on those to check", who)
    end
    return leaves
end

--- The floating-point tensors among f's results, with their positions among all.
local function float_outputs(who, f, inputs)
    local results = table.pack(f(table.unpack(inputs)))
    local outputs, positions = {}, {}
    for k = 1, results.n do
        local y = results[k]
        if core.is_tensor(y) and y:is_floating_point() then
            outputs[#outputs + 1] = y
            positions[#positions + 1] = k
        end
    end
    if #outputs == 0 then
        raise("%s: the function gave no floating-point tensor", who)
    end
    return outputs, positions
end

--- A copy of the inputs with element k of input i moved by a step.
local function moved(inputs, i, k, step)
    local copy = table.move(inputs, 1, #inputs, 1, {})
    local x = inputs[i]:detach():clone():contiguous()
    x:view(-1)[k]:add_(step)
    copy[i] = x:view(inputs[i].shape):requires_grad_()
    return copy
end

--- How all outputs change with each element of input i: numeric[k] is a list of flat tensors.
local function differences(who, f, inputs, i, eps)
    local numeric = {}
    for k = 1, inputs[i]:numel() do
        local above = float_outputs(who, f, moved(inputs, i, k, eps))
        local below = float_outputs(who, f, moved(inputs, i, k, -eps))
        numeric[k] = {}
        for o, y in ipairs(above) do
            numeric[k][o] = ((y:detach() - below[o]:detach()) / (2 * eps)):reshape(-1)
        end
    end
    return numeric
end

--- The gradients of element e of output y by the leaves, zeros where it does not depend on one.
local function gradients(y, e, leaves)
    if not y.requires_grad then
        local zeros = {}
        for i, x in ipairs(leaves) do
            zeros[i] = core.zeros_like(x)
        end
        return zeros
    end
    local one = core.zeros(y.shape, {dtype = y.dtype})
    one:view(-1)[e] = 1
    return core.grad(y, leaves, {grad_outputs = one, retain_graph = true, materialize_grads = true})
end

--- "[2, 1]": the indices of element k of x.
local function position(x, k)
    local rest, at = k - 1, {}
    for d = x:dim(), 1, -1 do
        at[d] = rest % x:size(d) + 1
        rest = rest // x:size(d)
    end
    return "[" .. table.concat(at, ", ") .. "]"
end

local function compare(who, o, where, got, expected)
    local allowed = o.atol + o.rtol * math.abs(expected)
    local agrees = math.abs(got - expected) <= allowed or (got ~= got and expected ~= expected)
    if not agrees then
        return ("%s: %s is %.9g by backward, %.9g by differences of %g"):format(who, where, got, expected, o.eps)
    end
end

--- A text about the first element of the Jacobians that is wrong, or nil.
local function find_problem(who, f, inputs, o)
    local places = find_leaves(who, inputs)
    local outputs, positions = float_outputs(who, f, inputs)
    local leaves, numeric = {}, {}
    for n, i in ipairs(places) do
        leaves[n] = inputs[i]
        numeric[n] = core.no_grad(differences, who, function(...) return core.enable_grad(f, ...) end, inputs, i, o.eps)
    end
    for k, y in ipairs(outputs) do
        for e = 1, y:numel() do
            local found = gradients(y, e, leaves)
            for n, x in ipairs(leaves) do
                local flat = found[n]:detach():reshape(-1)
                for at = 1, x:numel() do
                    local where = ("the derivative of output %d%s by input %d%s"):format(positions[k],
                        position(y, e), places[n], position(x, at))
                    local problem = compare(who, o, where, flat[at]:item(), numeric[n][at][k][e]:item())
                    if problem then
                        return problem
                    end
                end
            end
        end
    end
end

local function check_function(who, f)
    if type(f) ~= "function" and not (type(f) == "table" and (getmetatable(f) or {}).__call) then
        raise("%s: expected a function, got %s", who, options.describe(f))
    end
end

local function run(who, f, inputs, o)
    check_function(who, f)
    if not is_list(inputs) and not core.is_tensor(inputs) then
        raise("%s: inputs must be a tensor or a list of them, got %s", who, options.describe(inputs))
    end
    local problem = find_problem(who, f, is_list(inputs) and inputs or {inputs}, o)
    if problem and o.raise_exception then
        raise("%s", problem)
    end
    if problem then
        return false, problem
    end
    return true
end

--- Compares the Jacobians of f by its inputs, as backward gives them, with central differences. inputs: a tensor or a
--- list of them; those that require grad, which must be float64, are checked. Options: eps, the step (1e-6); atol
--- (1e-5) and rtol (1e-3), how far both may differ; raise_exception = false gives false and the text of the error
--- where it would be raised. Gives true.
--- > x = tocha.tensor({0.5, 2.}, {dtype = "float64"}):requires_grad_()
--- > tocha.autograd.gradcheck(function(v) return v:exp() * v[1] end, x)
--- true
function checks.gradcheck(f, inputs, ...)
    return run("gradcheck", f, inputs, options.read("gradcheck", spec, ...))
end

--- A function whose results are the gradients of f's by its inputs, given those of f's results behind the inputs.
local function gradient_of(f, n, places)
    return function(...)
        local all = {...}
        local inputs = table.move(all, 1, n, 1, {})
        local outputs, weights, used = float_outputs("gradgradcheck", f, inputs), {}, {}
        local leaves = {}
        for k, i in ipairs(places) do
            leaves[k] = inputs[i]
        end
        for k, y in ipairs(outputs) do
            if y.requires_grad then
                used[#used + 1] = y
                weights[#weights + 1] = all[n + k]
            end
        end
        local found = core.grad(used, leaves, {grad_outputs = weights, create_graph = true, materialize_grads = true})
        return table.unpack(found)
    end
end

--- Compares the gradients of f's gradients, by its inputs and by the gradients that come in, with central differences.
--- Arguments and options as for gradcheck. Gives true.
--- > x = tocha.tensor({0.5}, {dtype = "float64"}):requires_grad_()
--- > tocha.autograd.gradgradcheck(tocha.exp, x)
--- true
function checks.gradgradcheck(f, inputs, ...)
    local o = options.read("gradgradcheck", spec, ...)
    check_function("gradgradcheck", f)
    if core.is_tensor(inputs) then
        inputs = {inputs}
    elseif not is_list(inputs) then
        raise("gradgradcheck: inputs must be a tensor or a list of them, got %s", options.describe(inputs))
    end
    local places = find_leaves("gradgradcheck", inputs)
    local all = table.move(inputs, 1, #inputs, 1, {})
    for k, y in ipairs((float_outputs("gradgradcheck", f, inputs))) do
        local angles = core.arange(math.max(y:numel(), 1)):to("float64"):narrow(1, 1, y:numel()) + k
        all[#all + 1] = angles:cos():to(y.dtype):view(y.shape):requires_grad_()
    end
    return run("gradgradcheck", gradient_of(f, #inputs, places), all, o)
end

return checks
