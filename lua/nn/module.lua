--- Classes of modules, and Module, which they all inherit from.

local core = require "tocha.core"
local help = require "tocha.help"
local hooks = require "nn.hooks"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"

local describe = options.describe

--- The parent of all modules. A module finds its parameters and submodules by walking its fields in the order in
--- which they were first assigned; tables in fields are walked too, their list part first, then string keys in
--- alphabetical order. Fields whose name starts with "_" belong to Module.
local Module = {training = true, _name = "Module"}

--- Instances by class are told apart from other tables by their metatable's field "class".
local function is_module(value)
    local mt = type(value) == "table" and getmetatable(value)
    return type(mt) == "table" and mt.class ~= nil
end

--- Logs the order of fields; runs only when a field is assigned first.
local function assign(self, key, value)
    rawset(self, key, value)
    if not self._seen[key] then
        self._seen[key] = true
        self._order[#self._order + 1] = key
    end
end

local function call(self, ...)
    local registered = rawget(self, "_hooks")
    if registered then
        return hooks.call(self, registered, ...)
    end
    return self:forward(...)
end

local function construct(class, ...)
    local self = setmetatable({_order = {}, _seen = {}, _buffers = {}}, class._instance)
    if class.init then
        class.init(self, ...)
    end
    return self
end

--- A new class of modules: local Net = nn.class("Net"). Define Net:init(...), which Net(...) calls on the new module,
--- and Net:forward(...), which calling a module runs. parent is another class (Module by default), whose methods
--- the new one inherits: call Parent.init(self, ...) from init.
local function class(name, parent)
    if type(name) ~= "string" then
        raise("class: name must be a string, got %s", describe(name))
    end
    parent = parent or Module
    if parent ~= Module and not (type(parent) == "table" and rawget(parent, "_instance")) then
        raise("class: parent of %s must be a class, got %s", name, describe(parent))
    end
    local new = {_name = name, super = parent}
    new._instance = {
        class = new,
        __name = name,
        __index = new,
        __newindex = assign,
        __call = call,
        __tostring = function(self) return self:describe() end,
    }
    local info = debug.getinfo(2, "Sl")
    help.places[new] = info and {source = info.source, line = info.currentline}
    return setmetatable(new, {
        __index = parent,
        __call = construct,
        __tostring = function() return name end,
    })
end

hooks.install(Module)

function Module:forward()
    raise("%s: has no method forward; define function %s:forward(...)", self._name, self._name)
end

local function sorted_strings(t)
    local keys = {}
    for key in next, t do
        if type(key) == "string" then
            keys[#keys + 1] = key
        end
    end
    table.sort(keys)
    return keys
end

--- Appends what owner[key] is or contains: {name, value, kind, owner, key}, kind "parameter", "buffer" or "module".
local function add_member(list, owner, key, name, buffers, open)
    local value = rawget(owner, key)
    if core.is_tensor(value) then
        local kind = parameter.is(value) and "parameter" or buffers[name] ~= nil and "buffer"
        if kind then
            list[#list + 1] = {name = name, value = value, kind = kind, owner = owner, key = key}
        end
    elseif is_module(value) then
        list[#list + 1] = {name = name, value = value, kind = "module", owner = owner, key = key}
    elseif type(value) == "table" and not getmetatable(value) and not open[value] then
        open[value] = true
        for i = 1, #value do
            add_member(list, value, i, name .. "." .. i, buffers, open)
        end
        for _, inner in ipairs(sorted_strings(value)) do
            add_member(list, value, inner, name .. "." .. inner, buffers, open)
        end
    end
end

--- The module's own parameters, buffers and submodules in order.
local function members(self)
    local list, open = {}, {}
    for _, key in ipairs(self._order) do
        add_member(list, self, key, tostring(key), self._buffers, open)
    end
    return list
end

--- Calls visit(member, full name) for every member of self and its submodules, depth first. A module inside itself is
--- entered once.
local function walk(self, prefix, visit, open)
    open = open or {}
    if open[self] then
        return
    end
    open[self] = true
    for _, member in ipairs(members(self)) do
        local name = prefix .. member.name
        visit(member, name)
        if member.kind == "module" then
            walk(member.value, name .. ".", visit, open)
        end
    end
    open[self] = nil
end

--- {name, value} of all members of a kind, each value once.
local function collect(self, kind, prefix)
    local list, seen = {}, {}
    walk(self, prefix and prefix ~= "" and prefix .. "." or "", function(member, name)
        if member.kind == kind and not seen[member.value] then
            seen[member.value] = true
            list[#list + 1] = {name, member.value}
        end
    end)
    return list
end

local function values(list)
    local out = {}
    for i, entry in ipairs(list) do
        out[i] = entry[2]
    end
    return out
end

local function iterate(list)
    local i = 0
    return function()
        i = i + 1
        if list[i] then
            return list[i][1], list[i][2]
        end
    end
end

--- A list of all parameters of the module and its submodules, each once.
function Module:parameters()
    return values(collect(self, "parameter"))
end

--- For loops: for name, parameter in net:named_parameters() do. Names are paths such as "fc1.weight".
function Module:named_parameters(prefix)
    return iterate(collect(self, "parameter", prefix))
end

--- A list of all buffers: tensors that belong to the state without being trained.
function Module:buffers()
    return values(collect(self, "buffer"))
end

--- For loops: for name, buffer in net:named_buffers() do.
function Module:named_buffers(prefix)
    return iterate(collect(self, "buffer", prefix))
end

local function modules_of(self, prefix)
    local list = collect(self, "module", prefix)
    local all = {{prefix or "", self}}
    for _, entry in ipairs(list) do
        if entry[2] ~= self then
            all[#all + 1] = entry
        end
    end
    return all
end

--- A list of the module and all its submodules, each once.
function Module:modules()
    return values(modules_of(self))
end

--- For loops: for name, module in net:named_modules() do. The module itself comes first, under the name "".
function Module:named_modules(prefix)
    return iterate(modules_of(self, prefix))
end

local function children_of(self)
    local list, seen = {}, {}
    for _, member in ipairs(members(self)) do
        if member.kind == "module" and not seen[member.value] then
            seen[member.value] = true
            list[#list + 1] = {member.name, member.value}
        end
    end
    return list
end

--- A list of the direct submodules.
function Module:children()
    return values(children_of(self))
end

--- For loops: for name, module in net:named_children() do.
function Module:named_children()
    return iterate(children_of(self))
end

--- Makes a tensor part of the state (state_dict, to) without training it, and a field of that name. tensor may be nil
--- for a place that is filled later. persistent = false keeps it out of state_dict.
function Module:register_buffer(name, tensor, persistent)
    if type(name) ~= "string" or name:find(".", 1, true) then
        raise("%s: register_buffer: name must be a string without dots, got %s", self._name, describe(name))
    elseif tensor ~= nil and not core.is_tensor(tensor) then
        raise("%s: register_buffer: %s must be a tensor, got %s", self._name, name, describe(tensor))
    end
    self[name] = tensor
    self._buffers[name] = persistent ~= false
end

--- Calls fn(module) for every submodule, then for the module itself. Returns the module.
function Module:apply(fn)
    local list = modules_of(self)
    for i = #list, 1, -1 do
        fn(list[i][2])
    end
    return self
end

--- Sets training mode (mode is true unless given) in the module and all submodules: Dropout drops only then.
function Module:train(mode)
    if mode == nil then
        mode = true
    end
    for _, module in ipairs(self:modules()) do
        rawset(module, "training", mode)
    end
    return self
end

--- Ends training mode: train(false).
function Module:eval()
    return self:train(false)
end

--- Forgets the gradients of all parameters.
function Module:zero_grad()
    for _, p in ipairs(self:parameters()) do
        p.grad = nil
    end
end

--- Whether the parameters get gradients (on is true unless given); false freezes them.
function Module:requires_grad_(on)
    for _, p in ipairs(self:parameters()) do
        p:requires_grad_(on ~= false)
    end
    return self
end

local to_spec = {
    {"dtype", "float_dtype", optional = true},
    {"device", "string", optional = true},
}

local function parse_to(self, ...)
    local first = ...
    if select("#", ...) == 1 and type(first) == "string" and not first:find("float", 1, true) then
        return {device = first}
    end
    return options.read(self._name .. ": to", to_spec, ...)
end

--- The tensor under the wanted dtype (floats only) and device: itself where nothing changes.
local function converted(tensor, wanted)
    local dtype = wanted.dtype and tensor.dtype:find("float", 1, true) and wanted.dtype or tensor.dtype
    return tensor:detach():to(dtype, wanted.device or tensor.device)
end

local function same_kind(a, b)
    return a.dtype == b.dtype and tostring(a.device) == tostring(b.device)
end

local function convert_member(member, wanted)
    local old = member.value
    local new = converted(old, wanted)
    if same_kind(old, new) then
        return old
    end
    if member.kind == "parameter" then
        new:requires_grad_(old.requires_grad)
        parameter.replace(old, new)
        if old.grad then
            new.grad = converted(old.grad, wanted)
        end
    end
    return new
end

--- Moves parameters and buffers: to("float64"), to("cuda") or to{dtype = ..., device = ...}. Only floating point
--- tensors change their dtype. Make optimisers after this call: parameters that change are new tensors.
function Module:to(...)
    local wanted = parse_to(self, ...)
    local done = {}
    walk(self, "", function(member)
        if member.kind ~= "module" then
            done[member.value] = done[member.value] or convert_member(member, wanted)
            rawset(member.owner, member.key, done[member.value])
        end
    end)
    return self
end

for name, target in pairs {float = "float32", double = "float64", half = "float16", bfloat16 = "bfloat16",
    cpu = "cpu", cuda = "cuda"} do
    Module[name] = function(self) return self:to(target) end
end

--- The parameters and persistent buffers by name, sharing memory with the module and without gradients: what
--- tocha.save() writes and load_state_dict() reads.
function Module:state_dict()
    local state = {}
    walk(self, "", function(member, name)
        if member.kind == "parameter" or member.kind == "buffer" and member.owner._buffers[member.name] then
            state[name] = member.value:detach()
        end
    end)
    return state
end

--- Compares a state with the module's: lists of {from, to} to copy, of missing, unexpected and misshapen names.
local function match_state(self, state)
    local own, copies, missing, unexpected, misshapen = self:state_dict(), {}, {}, {}, {}
    for name, tensor in pairs(own) do
        local given = state[name]
        if given == nil then
            missing[#missing + 1] = name
        elseif not core.is_tensor(given) then
            misshapen[#misshapen + 1] = ("%s must be a tensor, got %s"):format(name, describe(given))
        elseif tostring(given.shape) ~= tostring(tensor.shape) then
            misshapen[#misshapen + 1] = ("%s must have shape %s, got %s"):format(name, tostring(tensor.shape),
                tostring(given.shape))
        else
            copies[#copies + 1] = {given, tensor}
        end
    end
    for name in pairs(state) do
        if own[name] == nil then
            unexpected[#unexpected + 1] = tostring(name)
        end
    end
    table.sort(missing)
    table.sort(unexpected)
    table.sort(misshapen)
    return copies, missing, unexpected, misshapen
end

local function is_strict(strict)
    if type(strict) == "table" then
        strict = strict.strict
    end
    return strict ~= false
end

--- Copies a state_dict() into the parameters and buffers. Unless strict is false, names must agree exactly. An error
--- lists every name that is missing, unexpected or of another shape, and changes nothing.
--- Returns the lists of missing and of unexpected names.
function Module:load_state_dict(state, strict)
    if type(state) ~= "table" then
        raise("%s: load_state_dict: state must be a table of tensors, got %s", self._name, describe(state))
    end
    local copies, missing, unexpected, problems = match_state(self, state)
    if is_strict(strict) then
        if #missing > 0 then
            table.insert(problems, "missing: " .. table.concat(missing, ", "))
        end
        if #unexpected > 0 then
            table.insert(problems, "unexpected: " .. table.concat(unexpected, ", "))
        end
    end
    if #problems > 0 then
        raise("%s: load_state_dict: %s", self._name, table.concat(problems, "; "))
    end
    core.no_grad(function()
        for _, copy in ipairs(copies) do
            copy[2]:copy_(copy[1])
        end
    end)
    return missing, unexpected
end

--- What stands between the parentheses of the module's text; classes may define it.
function Module.extra_repr()
    return ""
end

--- The module as a tree of its submodules, which tostring() gives.
function Module:describe(open)
    open = open or {}
    if open[self] then
        return self._name .. "(...)"
    end
    open[self] = true
    local lines = {}
    for _, entry in ipairs(children_of(self)) do
        local text = entry[2]:describe(open):gsub("\n", "\n  ")
        lines[#lines + 1] = ("  (%s): %s"):format(entry[1], text)
    end
    open[self] = nil
    local extra = self:extra_repr()
    if #lines == 0 then
        return ("%s(%s)"):format(self._name, extra)
    end
    return ("%s(%s\n%s\n)"):format(self._name, extra, table.concat(lines, "\n"))
end

--- Calls the module with other tensors in the places of parameters and buffers, as state names them. See
--- tocha.func.functional_call.
local function call_with(self, state, ...)
    local places, found = {}, {}
    walk(self, "", function(member, name)
        if member.kind ~= "module" then
            places[#places + 1] = member
            if state[name] ~= nil then
                found[name] = member.value
            end
        end
    end)
    local others = {}
    for name, tensor in pairs(state) do
        if not found[name] then
            raise("functional_call: %s has no parameter or buffer %s", self._name, describe(name))
        elseif not core.is_tensor(tensor) then
            raise("functional_call: %s must be a tensor, got %s", name, describe(tensor))
        end
        others[found[name]] = tensor
    end
    -- One tensor under several names is replaced everywhere.
    for _, member in ipairs(places) do
        rawset(member.owner, member.key, others[member.value] or member.value)
    end
    local _ <close> = setmetatable({}, {__close = function()
        for _, member in ipairs(places) do
            rawset(member.owner, member.key, member.value)
        end
    end})
    return self(...)
end

return {call_with = call_with, class = class, Module = Module, is_module = is_module}
