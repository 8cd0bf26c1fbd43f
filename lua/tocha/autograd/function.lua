--- Functions with a gradient of their own.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local describe = options.describe

--- What forward and backward are given first. Fields: needs_input_grad, a list of booleans, one for each argument of
--- forward; saved_tensors, in backward: the list that forward saved. Any other field is the function's own.
local Context = {}
Context.__index = Context

--- In forward: tensors that backward will find in ctx.saved_tensors; entries may be nil. What is changed in place
--- afterwards is an error in backward. Save outputs in no other way: a field that holds one keeps it for good.
function Context:save_for_backward(...)
    self._saved = table.pack(...)
    for i = 1, self._saved.n do
        if self._saved[i] ~= nil and not core.is_tensor(self._saved[i]) then
            raise("save_for_backward: expected tensors, number %d is %s; keep other values in fields of ctx", i,
                describe(self._saved[i]))
        end
    end
end

--- In forward: outputs through which no gradient flows.
function Context:mark_non_differentiable(...)
    self._apart = {...}
end

--- In forward: with false, backward gets nil for an output that no gradient came to, in place of zeros.
function Context:set_materialize_grads(on)
    self._materialize = on
end

local Function = {}

--- The positions of the tensors among the arguments, and these.
local function find_tensors(args)
    local positions, tensors = {}, {}
    for i = 1, args.n do
        if core.is_tensor(args[i]) then
            positions[#positions + 1] = i
            tensors[#tensors + 1] = args[i]
        end
    end
    return positions, tensors
end

--- Whether the call is recorded; fills ctx.needs_input_grad.
local function find_needs(ctx, args)
    local any = false
    ctx.needs_input_grad = {}
    for i = 1, args.n do
        local needs = core.is_tensor(args[i]) and args[i].requires_grad
        ctx.needs_input_grad[i] = needs
        any = any or needs
    end
    return any and core.is_grad_enabled()
end

--- The gradients by position, as backward gave them, by tensor.
local function by_tensor(name, positions, n, found)
    for i = n + 1, found.n do
        if found[i] ~= nil then
            raise("%s: backward gave %d gradients, forward took %d arguments", name, found.n, n)
        end
    end
    local grads, is_tensor = {}, {}
    for k, i in ipairs(positions) do
        grads[k], is_tensor[i] = found[i], true
    end
    for i = 1, n do
        if found[i] ~= nil and not is_tensor[i] then
            raise("%s: backward gave a gradient for argument %d, which is no tensor; give nil", name, i)
        end
    end
    return grads
end

--- Calls backward without recording; gradients of what it gives are an error that says so.
local function backward_once(class, ctx, grads, n)
    local found = table.pack(core.no_grad(class.backward, ctx, table.unpack(grads, 1, n)))
    if core.is_grad_enabled() then
        local anchor = core.zeros({}, {requires_grad = true})
        for i = 1, found.n do
            if found[i] ~= nil then
                found[i] = Function.Once(found[i], anchor, class.name)
            end
        end
    end
    return found
end

--- The closure that the graph keeps.
local function make_backward(class, ctx, positions, n_args, n_outputs)
    return function(saved, grads)
        ctx.saved_tensors = saved
        local ok, found
        if class.once then
            ok, found = pcall(backward_once, class, ctx, grads, n_outputs)
        else
            ok, found = pcall(function()
                return table.pack(class.backward(ctx, table.unpack(grads, 1, n_outputs)))
            end)
        end
        ctx.saved_tensors = nil
        if not ok then
            error(found, 0)
        end
        return by_tensor(class.name, positions, n_args, found)
    end
end

--- The outputs as tensors of their own: an argument that was handed through gives a view of it. Also where each
--- output stands in the list of results, and the replacements.
local function own_outputs(results, tensors)
    local outputs, positions, replaced, given = {}, {}, {}, {}
    for _, t in ipairs(tensors) do
        given[t] = true
    end
    for i = 1, results.n do
        local t = results[i]
        if core.is_tensor(t) then
            local own = replaced[t] or (given[t] or t.requires_grad) and t:detach() or t
            replaced[t] = own
            results[i] = own
            outputs[#outputs + 1] = own
            positions[#positions + 1] = i
        end
    end
    return outputs, positions, replaced
end

local function versions(tensors)
    local list = {}
    for i, t in ipairs(tensors) do
        list[i] = t._version
    end
    return list
end

local function check_unchanged(name, positions, tensors, before)
    for k, t in ipairs(tensors) do
        if t._version ~= before[k] then
            raise("%s: forward changed argument %d in place; change a clone of it", name, positions[k])
        end
    end
end

local function record(class, ctx, args, results, positions, tensors)
    local outputs, places, replaced = own_outputs(results, tensors)
    local apart, saved = {}, ctx._saved or {n = 0}
    for k, t in ipairs(outputs) do
        for _, marked in ipairs(ctx._apart or {}) do
            apart[k] = apart[k] or replaced[marked] == t
        end
    end
    local keep = {}
    for i = 1, saved.n do
        keep[i] = replaced[saved[i]] or saved[i]
    end
    -- Gradients come by output; backward is given one for each result, nil for what is no tensor.
    local run = make_backward(class, ctx, positions, args.n, results.n)
    local function backward(values, grads)
        local by_result = {}
        for k, i in ipairs(places) do
            by_result[i] = grads[k]
        end
        return run(values, by_result)
    end
    ctx._saved, ctx._apart = nil, nil
    core._record_function(class.name, backward, tensors, outputs, apart, keep, saved.n, ctx._materialize)
end

--- The innermost vmap level that one of the tensors is mapped at, or nil.
local function find_level(tensors)
    local level
    for _, t in ipairs(tensors) do
        local own = core._batch_level(t)
        level = own and math.max(own, level or 0) or level
    end
    return level
end

--- Inside a vmap forward and backward, which may read values, see one sample after another.
local function apply_samplewise(class, level, args, positions, tensors)
    local n, results = core._batch_samples(level), {}
    if n == 0 then
        raise("%s: vmap cannot tell what it gives without samples", class.name)
    end
    for s = 1, n do
        local own = table.move(args, 1, args.n, 1, {})
        for k, i in ipairs(positions) do
            if core._batch_level(tensors[k]) == level then
                own[i] = core._unbatch(tensors[k], level, 1)[s]
            end
        end
        results[s] = table.pack(class.apply(table.unpack(own, 1, args.n)))
    end
    local joined = results[1]
    for i = 1, joined.n do
        if core.is_tensor(joined[i]) then
            local list = {}
            for s = 1, n do
                list[s] = results[s][i]
            end
            joined[i] = core._batch(core.stack(list), 1, level)
        end
    end
    return table.unpack(joined, 1, joined.n)
end

--- Function.apply(...): forward without recording, then a node in the graph whose gradients backward computes.
local function apply(class, ...)
    local args = table.pack(...)
    local ctx = setmetatable({_materialize = true}, Context)
    local positions, tensors = find_tensors(args)
    local level = find_level(tensors)
    if level then
        return apply_samplewise(class, level, args, positions, tensors)
    end
    local recorded = find_needs(ctx, args)
    local before = versions(tensors)
    local results = table.pack(core.no_grad(class.forward, ctx, ...))
    check_unchanged(class.name, positions, tensors, before)
    if recorded then
        record(class, ctx, args, results, positions, tensors)
    end
    return table.unpack(results, 1, results.n)
end

local meta = {
    __call = apply,
    __tostring = function(class) return class.name end,
}

--- A function with a gradient of its own. definition: a table with
---   forward(ctx, ...)     computes the results from the arguments; it is not recorded.
---   backward(ctx, ...)    given the gradient of each result, gives one for each argument of forward, nil where there
---                         is none. Written in operators it can be differentiated in turn.
---   name                  for texts about graphs; "Function" unless given.
---   once_differentiable   true: backward is not recorded, and gradients of gradients are an error.
--- ctx:save_for_backward(tensors...) keeps tensors, which backward finds as ctx.saved_tensors;
--- ctx:mark_non_differentiable(outputs...), ctx:set_materialize_grads(false) and ctx.needs_input_grad are as in
--- PyTorch.
--- Gives what is called with the arguments, as F(...) or F.apply(...).
--- > function forward(ctx, x) ctx:save_for_backward(x); return x ^ 3 end
--- > function backward(ctx, g) return g * 3 * ctx.saved_tensors[1] ^ 2 end
--- > Cube = tocha.autograd.Function{name = "Cube", forward = forward, backward = backward}
--- > local x = tocha.tensor({2.}):requires_grad_(); Cube(x):backward(); return x.grad
--- tensor({12})
function Function.new(definition)
    if type(definition) ~= "table" or type(definition.forward) ~= "function"
        or type(definition.backward) ~= "function" then
        raise("Function: expected a table with the functions forward and backward, got %s", describe(definition))
    end
    local known = {forward = true, backward = true, name = true, once_differentiable = true}
    for key in pairs(definition) do
        if not known[key] then
            raise("Function: unknown entry %s; known: name, forward, backward, once_differentiable", describe(key))
        end
    end
    local class = {
        name = definition.name or "Function",
        forward = definition.forward,
        backward = definition.backward,
        once = definition.once_differentiable,
    }
    if type(class.name) ~= "string" then
        raise("Function: name must be a string, got %s", describe(class.name))
    end
    function class.apply(...)
        return apply(class, ...)
    end
    return setmetatable(class, meta)
end

Function.Once = Function.new {
    name = "once_differentiable",
    forward = function(ctx, x, _, name)
        ctx.name = name
        return x:clone()
    end,
    backward = function(ctx)
        raise("%s: its backward is once_differentiable: there are no gradients of its gradients", ctx.name)
    end,
}

return Function
