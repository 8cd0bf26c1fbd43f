--- Hooks of modules: functions that are called when a module is, or when a backward passes it.

local core = require "tocha.core"
local autograd = require "tocha.autograd"
local options = require "tocha.options"
local raise = require "tocha.raise"

local hooks = {}

local Handle = {}
Handle.__index = Handle
Handle.__close = function(self) self:remove() end

--- Ends the hook.
function Handle:remove()
    for i, entry in ipairs(self._list) do
        if entry == self._entry then
            table.remove(self._list, i)
            return
        end
    end
end

local function register(module, kind, f)
    if type(f) ~= "function" then
        raise("%s: register_%s: expected a function, got %s", module._name, kind, options.describe(f))
    end
    local all = rawget(module, "_hooks")
    if not all then
        all = {forward_pre_hook = {}, forward_hook = {}, full_backward_hook = {}, full_backward_pre_hook = {}}
        rawset(module, "_hooks", all)
    end
    local entry = {f}
    table.insert(all[kind], entry)
    return setmetatable({_list = all[kind], _entry = entry}, Handle)
end

--- What a hook gave in place of values: a list, or one value for a list of one.
local function replaced(values, given)
    if given == nil then
        return values
    elseif type(given) == "table" and not core.is_tensor(given) and not getmetatable(given) then
        return {n = math.max(#given, given.n or 0), table.unpack(given)}
    end
    return {n = 1, given}
end

--- Each hook of a list that is called now, though hooks may remove themselves.
local function each(list)
    return ipairs(table.move(list, 1, #list, 1, {}))
end

--- values, with its tensors that need gradients handed through a node that gives these to see(grads); see may give
--- others. Also whether there were any.
local function watch(name, values, see)
    local tensors, places = {}, {}
    for i = 1, values.n do
        if core.is_tensor(values[i]) and values[i].requires_grad then
            tensors[#tensors + 1] = values[i]
            places[#places + 1] = i
        end
    end
    if #tensors == 0 or not core.is_grad_enabled() then
        return values, false
    end
    local pass = autograd.Function {
        name = name,
        forward = function(_, ...) return ... end,
        backward = function(_, ...)
            local grads = {}
            for k, g in ipairs {...} do
                grads[places[k]] = g
            end
            grads = see(grads) or grads
            local found = {}
            for k, i in ipairs(places) do
                found[k] = grads[i]
            end
            return table.unpack(found, 1, #places)
        end,
    }
    local own = {n = values.n, table.unpack(values, 1, values.n)}
    for k, t in ipairs {pass(table.unpack(tensors))} do
        own[places[k]] = t
    end
    return own, true
end

local function run_backward_hooks(module, list, grad_input, grad_output)
    local changed = grad_input
    for _, entry in each(list) do
        changed = replaced(changed, entry[1](module, changed, grad_output))
    end
    return changed
end

--- Calls the module between nodes that show its gradients to the backward hooks.
local function forward_watched(module, all, args)
    local seen, has_inputs
    args, has_inputs = watch("backward hook", args, function(grads)
        return run_backward_hooks(module, all.full_backward_hook, grads, seen or {})
    end)
    local results = table.pack(module:forward(table.unpack(args, 1, args.n)))
    return (watch("backward hook", results, function(grads)
        for _, entry in each(all.full_backward_pre_hook) do
            grads = replaced(grads, entry[1](module, grads))
        end
        seen = grads
        if not has_inputs then
            run_backward_hooks(module, all.full_backward_hook, {}, grads)
        end
        return grads
    end))
end

--- Calls a module that has hooks.
function hooks.call(module, all, ...)
    local args = table.pack(...)
    for _, entry in each(all.forward_pre_hook) do
        args = replaced(args, entry[1](module, args))
    end
    local results
    if #all.full_backward_hook + #all.full_backward_pre_hook > 0 then
        results = forward_watched(module, all, args)
    else
        results = table.pack(module:forward(table.unpack(args, 1, args.n)))
    end
    for _, entry in each(all.forward_hook) do
        local output = results.n == 1 and results[1] or results
        results = replaced(results, entry[1](module, args, output))
    end
    return table.unpack(results, 1, results.n)
end

--- Adds the methods to Module.
function hooks.install(Module)
    --- Has f(module, arguments) called before each call of the module; arguments is a list. f gives nil, or arguments
    --- to go on with. Gives a handle: handle:remove() ends it.
    --- > m = nn.ReLU(); handle = m:register_forward_pre_hook(function(_, args) return args[1] - 1 end)
    --- > m(tocha.tensor({0.5, 3.}))
    --- tensor({0, 2})
    function Module:register_forward_pre_hook(f)
        return register(self, "forward_pre_hook", f)
    end

    --- Has f(module, arguments, output) called after each call of the module; output is a list where forward gave
    --- several values. f gives nil, or an output to go on with. Gives a handle: handle:remove() ends it.
    --- > m = nn.ReLU(); handle = m:register_forward_hook(function(_, _, y) return y * 10 end)
    --- > m(tocha.tensor({-1., 2.}))
    --- tensor({0, 20})
    function Module:register_forward_hook(f)
        return register(self, "forward_hook", f)
    end

    --- Has f(module, grad_input, grad_output) called whenever a backward has passed the module: lists of the
    --- gradients of its arguments and of its outputs, without entries for what needs none. f gives nil, or gradients
    --- of the arguments to go on with. Gives a handle: handle:remove() ends it.
    --- > m, x = nn.ReLU(), tocha.ones(1):requires_grad_()
    --- > handle = m:register_full_backward_hook(function(_, g) return g[1] * 7 end); m(x):backward(); return x.grad
    --- tensor({7})
    function Module:register_full_backward_hook(f)
        return register(self, "full_backward_hook", f)
    end

    --- Has f(module, grad_output) called whenever a backward comes to the module. f gives nil, or gradients of the
    --- outputs to go on with. Gives a handle: handle:remove() ends it.
    --- > m, x = nn.ReLU(), tocha.ones(1):requires_grad_()
    --- > handle = m:register_full_backward_pre_hook(function(_, g) return g[1] * 3 end)
    --- > m(x):backward(); return x.grad
    --- tensor({3})
    function Module:register_full_backward_pre_hook(f)
        return register(self, "full_backward_pre_hook", f)
    end
end

return hooks
