--- What all optimisers share: parameter groups, zero_grad, state_dict.

local core = require "tocha.core"
local help = require "tocha.help"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"

local describe = options.describe

local lower = core._cuda

local Optimizer = {}
local by_param = {__mode = "k"}

--- A class of optimisers. spec lists the options of a group (see tocha.options); check(who, group), if given, raises
--- errors about combinations. The class defines update(self, group, params, grads, states), which takes one step of
--- parameters of one dtype on one device by one call of a tocha.*_step, and gets the tensors of a new state from
--- self:zeros(p, name). It changes states once that call has succeeded.
local function class(name, spec, check)
    local new = {_name = name, _spec = spec, _check = check}
    new._instance = {class = new, __name = name, __index = new, __tostring = function(self) return self:describe() end}
    local info = debug.getinfo(2, "Sl")
    help.places[new] = info and {source = info.source, line = info.currentline}
    return setmetatable(new, {
        __index = Optimizer,
        __tostring = function() return name end,
        __call = function(_, params, ...)
            local self = setmetatable({param_groups = {}, state = {}, _recorded = setmetatable({}, by_param)},
                new._instance)
            self:_setup(params, ...)
            return self
        end,
    })
end

local function is_plain_table(value)
    return type(value) == "table" and getmetatable(value) == nil
end

function Optimizer:_setup(params, ...)
    self._defaults = options.read(self._name, self._spec, ...)
    self._generation = parameter.generation
    if not is_plain_table(params) then
        raise("%s: params must be a list of tensors or of groups {params = ...}, got %s", self._name, describe(params))
    elseif #params == 0 then
        raise("%s: params is empty; pass net:parameters()", self._name)
    end
    if is_plain_table(params[1]) then
        for _, group in ipairs(params) do
            self:add_param_group(group)
        end
    else
        self:add_param_group {params = params}
    end
end

local function check_param(self, p, i)
    if not core.is_tensor(p) then
        raise("%s: parameter %d must be a tensor, got %s", self._name, i, describe(p))
    elseif not p:is_floating_point() then
        raise("%s: parameter %d must be of a floating point dtype, got %s", self._name, i, p.dtype)
    elseif not p.is_leaf then
        raise("%s: parameter %d is the result of %s, not a leaf; pass the tensor it was computed from, or detach it",
            self._name, i, p.grad_fn:name())
    elseif self._known[p] then
        raise("%s: parameter %d is given twice", self._name, i)
    end
    self._known[p] = true
end

--- Adds parameters with options of their own: {params = {...}, lr = 0.01}. Options not given are the optimiser's.
function Optimizer:add_param_group(group)
    self._known = self._known or {}
    if not is_plain_table(group) or group.params == nil then
        raise("%s: a group must be a table with params, got %s", self._name, describe(group))
    end
    local params = core.is_tensor(group.params) and {group.params} or group.params
    if not is_plain_table(params) then
        raise("%s: params of a group must be a list of tensors, got %s", self._name, describe(params))
    end
    local wanted = {}
    for name, value in pairs(self._defaults) do
        wanted[name] = value
    end
    for name, value in pairs(group) do
        if name ~= "params" then
            wanted[name] = value
        end
    end
    local new = options.read(self._name, self._spec, wanted)
    if self._check then
        self._check(self._name, new)
    end
    new.params = {}
    for i, p in ipairs(params) do
        check_param(self, p, i)
        new.params[i] = p
    end
    self.param_groups[#self.param_groups + 1] = new
end

--- Forgets the gradients of all parameters.
function Optimizer:zero_grad()
    for _, group in ipairs(self.param_groups) do
        for _, p in ipairs(group.params) do
            p.grad = nil
        end
    end
end

local function check_replaced(self)
    for g, group in ipairs(self.param_groups) do
        for i, p in ipairs(group.params) do
            if parameter.is_replaced(p) then
                raise("%s: parameter %d of group %d was replaced by a module's to(); make the optimiser after it",
                    self._name, i, g)
            end
        end
    end
    self._generation = parameter.generation
end

--- Zeros of p's shape for what its state does not have yet. Graphs that have recorded a step go on with the memory that
--- they know, which is filled when a step is taken, not when it is recorded.
function Optimizer:zeros(p, name)
    local recorded = self._recorded[p]
    local known = recorded and recorded[name]
    if lower.capturing() == p.device then
        return known or lower.empty_outside(p)
    end
    return known and known:zero_() or core.zeros_like(p)
end

local function state_of(self, p)
    local state = self.state[p]
    if not state then
        state = {}
        self.state[p] = state
    end
    return state
end

local function assign(to, from)
    for name, value in pairs(from) do
        to[name] = value
    end
    return to
end

--- Records steps, each {group's position, parameters, gradients}, in a graph. They are taken on copies of the states,
--- whose tensors are the same: when a step is recorded nothing happens yet, and a replay that fails changes nothing.
local function record(self, steps)
    lower.record_step(function()
        local after = {}
        for _, s in ipairs(steps) do
            local states = {}
            for i, p in ipairs(s.params) do
                states[i] = assign({}, self.state[p] or {})
            end
            self:update(self.param_groups[s.group], s.params, s.grads, states)
            for i, p in ipairs(s.params) do
                after[p] = states[i]
                self._recorded[p] = assign(self._recorded[p] or {}, states[i])
            end
        end
        return function()
            for p, state in pairs(after) do
                assign(state_of(self, p), state)
            end
        end
    end)
end

--- Adds a parameter and its gradient to the step of its kind: group, dtype and device.
local function add_to(steps, group, p, grad, device)
    local dtype, step = p.dtype, nil
    for i = #steps, 1, -1 do
        local s = steps[i]
        if s.group == group and s.dtype == dtype and s.device == device then
            step = s
            break
        end
    end
    if not step then
        step = {group = group, dtype = dtype, device = device, params = {}, grads = {}}
        steps[#steps + 1] = step
    end
    local n = #step.params + 1
    step.params[n], step.grads[n] = p, grad
end

local function take(self, step)
    local states = {}
    for i, p in ipairs(step.params) do
        states[i] = state_of(self, p)
    end
    self:update(self.param_groups[step.group], step.params, step.grads, states)
end

--- One step for every parameter that has a gradient. closure, if given, is called first and computes the loss and its
--- gradients; its result is returned.
function Optimizer:step(closure)
    local loss = closure and closure()
    if self._generation ~= parameter.generation then
        check_replaced(self)
    end
    local capturing, now, recorded = lower.capturing(), {}, {}
    for g, group in ipairs(self.param_groups) do
        for _, p in ipairs(group.params) do
            local grad, device = p.grad, p.device
            if grad then
                add_to(device == capturing and recorded or now, g, p, grad, device)
            end
        end
    end
    for _, step in ipairs(now) do
        take(self, step)
    end
    if #recorded > 0 then
        record(self, recorded)
    end
    return loss
end

local function copy(value)
    if not is_plain_table(value) then
        return value
    end
    local new = {}
    for key, item in pairs(value) do
        new[key] = copy(item)
    end
    return new
end

--- The state as a table that tocha.save() writes: state by the parameters' positions, counted from 1 over all groups,
--- and param_groups with those positions as params. Tensors are shared, not copied.
function Optimizer:state_dict()
    local result, position = {state = {}, param_groups = {}}, 0
    for g, group in ipairs(self.param_groups) do
        local new = {}
        for name, value in pairs(group) do
            if name ~= "params" then
                new[name] = copy(value)
            end
        end
        new.params = {}
        for i, p in ipairs(group.params) do
            position = position + 1
            new.params[i] = position
            if self.state[p] then
                result.state[position] = copy(self.state[p])
            end
        end
        result.param_groups[g] = new
    end
    return result
end

local function check_groups(self, groups)
    if not is_plain_table(groups) or #groups ~= #self.param_groups then
        raise("%s: load_state_dict: expected %d parameter groups, got %s", self._name, #self.param_groups,
            is_plain_table(groups) and #groups or describe(groups))
    end
    for g, group in ipairs(self.param_groups) do
        local params = is_plain_table(groups[g]) and groups[g].params
        if not is_plain_table(params) or #params ~= #group.params then
            raise("%s: load_state_dict: group %d must have %d parameters, got %s", self._name, g, #group.params,
                is_plain_table(params) and #params or describe(params))
        end
    end
end

--- A copy of one parameter's state, its tensors on p's dtype and device.
local function restore(self, p, given, position)
    if not is_plain_table(given) then
        raise("%s: load_state_dict: state of parameter %d must be a table, got %s", self._name, position,
            describe(given))
    end
    local state = {}
    for name, value in pairs(given) do
        if core.is_tensor(value) then
            if tostring(value.shape) ~= tostring(p.shape) then
                raise("%s: load_state_dict: %s of parameter %d must have shape %s, got %s", self._name, tostring(name),
                    position, tostring(p.shape), tostring(value.shape))
            end
            value = value:detach():to(p.dtype, p.device):clone()
        end
        state[name] = value
    end
    self.check_state(self._name .. ": load_state_dict", state, position)
    return state
end

--- Moves what was loaded for p to where graphs that have recorded its steps look for it.
local function keep_recorded(self, p, state)
    for name, known in pairs(self._recorded[p] or {}) do
        if core.is_tensor(known) and core.is_tensor(state[name]) then
            state[name] = known:copy_(state[name])
        end
    end
end

local function read_group(self, given, params)
    local wanted = {}
    for name, value in pairs(given) do
        if name ~= "params" then
            wanted[name] = value
        end
    end
    local group = options.read(self._name .. ": load_state_dict", self._spec, wanted)
    if self._check then
        self._check(self._name .. ": load_state_dict", group)
    end
    group.params = params
    return group
end

--- Takes over the state and options of a state_dict() of an optimiser with the same groups of as many parameters.
--- On an error nothing has changed.
function Optimizer:load_state_dict(dict)
    if not is_plain_table(dict) or not is_plain_table(dict.state) then
        raise("%s: load_state_dict: expected a table with state and param_groups, got %s", self._name, describe(dict))
    end
    check_groups(self, dict.param_groups)
    local groups, states = {}, {}
    for g, group in ipairs(self.param_groups) do
        local given = dict.param_groups[g]
        groups[g] = read_group(self, given, group.params)
        for i, p in ipairs(group.params) do
            local saved = dict.state[given.params[i]]
            if saved ~= nil then
                states[p] = restore(self, p, saved, given.params[i])
            end
        end
    end
    for p, state in pairs(states) do
        keep_recorded(self, p, state)
    end
    self.param_groups, self.state = groups, states
end

function Optimizer:describe()
    local lines = {}
    for g, group in ipairs(self.param_groups) do
        local parts = {}
        for _, entry in ipairs(self._spec) do
            local value = group[entry[1]]
            if value ~= nil then
                local text = type(value) == "table" and "{" .. table.concat(value, ", ") .. "}" or tostring(value)
                parts[#parts + 1] = ("%s = %s"):format(entry[1], text)
            end
        end
        lines[g] = ("  group %d: %d parameters, %s"):format(g, #group.params, table.concat(parts, ", "))
    end
    return ("%s(\n%s\n)"):format(self._name, table.concat(lines, "\n"))
end

return {class = class}
