--- Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict.

local core = require "tocha.core"
local help = require "tocha.help"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"
local module = require "nn.module"

local containers = {}

local function check(who, i, value)
    if not module.is_module(value) then
        raise("%s: entry %d must be a module, got %s", who, i, options.describe(value))
    end
end

--- Modules as a list: list[i] and #list. ModuleList{a, b} or ModuleList(a, b).
local ModuleList = module.class("ModuleList")
containers.ModuleList = ModuleList

local function fill(self, who, ...)
    local first = ...
    local list, n = {...}, select("#", ...)
    if n == 1 and type(first) == "table" and not getmetatable(first) then
        list, n = first, #first
    end
    for i = 1, n do
        check(who, i, list[i])
        self[i] = list[i]
    end
end

function ModuleList:init(...)
    fill(self, "ModuleList", ...)
end

--- Adds a module at the end; returns the list.
function ModuleList:append(value)
    check(self._name, #self + 1, value)
    self[#self + 1] = value
    return self
end

function ModuleList.forward()
    raise("ModuleList: holds modules and cannot be called; call its entries, or use Sequential")
end

--- Modules called one after the other: Sequential(a, b)(x) is b(a(x)). seq[i] is the i-th, #seq their number.
local Sequential = module.class("Sequential", ModuleList)
containers.Sequential = Sequential

function Sequential:init(...)
    fill(self, "Sequential", ...)
end

function Sequential:forward(...)
    if #self == 0 then
        return ...
    end
    local x = self[1](...)
    for i = 2, #self do
        x = self[i](x)
    end
    return x
end

local function check_key(who, key)
    if type(key) ~= "string" or key == "" or key:find(".", 1, true) or key:sub(1, 1) == "_" then
        raise("%s: keys must be strings without dots that do not begin with _, got %s", who, options.describe(key))
    end
end

--- The keys of a table in alphabetical order.
local function sorted_keys(who, entries)
    if type(entries) ~= "table" or getmetatable(entries) then
        raise("%s: expected a table, got %s", who, options.describe(entries))
    end
    local keys = {}
    for key in pairs(entries) do
        check_key(who, key)
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

--- A class of containers by key, whose entries stand in the field named; read turns what is given into an entry.
local function dictionary(name, field, read)
    local new = module.class(name)
    local info = debug.getinfo(2, "Sl")
    help.places[new] = {source = info.source, line = info.currentline}

    function new:init(entries)
        self[field] = {}
        self:update(entries or {})
    end

    function new:update(entries)
        for _, key in ipairs(sorted_keys(name, entries)) do
            self:set(key, entries[key])
        end
        return self
    end

    function new:set(key, value)
        check_key(name, key)
        self[field][key] = read(key, value)
        return self
    end

    function new:get(key)
        return self[field][key]
    end

    function new:keys()
        return sorted_keys(name, self[field])
    end

    function new.forward()
        raise("%s: holds entries and cannot be called; call what get() gives", name)
    end
    return new
end

--- Modules by name: ModuleDict{a = nn.ReLU()}, then dict:get("a"), dict:set("b", module), dict:update{...} and
--- dict:keys(), in alphabetical order. Their parameters are named as in "entries.a.weight".
--- > table.concat(nn.ModuleDict({b = nn.ReLU(), a = nn.Tanh()}):keys(), " ")
--- a b
containers.ModuleDict = dictionary("ModuleDict", "entries", function(key, value)
    if not module.is_module(value) then
        raise("ModuleDict: %s must be a module, got %s", key, options.describe(value))
    end
    return value
end)

local function as_parameter(who, key, value)
    if not core.is_tensor(value) then
        raise("%s: %s must be a tensor, got %s", who, key, options.describe(value))
    end
    return parameter.is(value) and value or parameter.make(value)
end

--- Parameters by name: as ModuleDict, but tensors, which become parameters.
--- > nn.ParameterDict({a = tocha.ones(2)}):get("a").requires_grad
--- true
containers.ParameterDict = dictionary("ParameterDict", "entries", function(key, value)
    return as_parameter("ParameterDict", key, value)
end)

--- Parameters as a list: list[i] and #list, of tensors, which become parameters. append() adds one at the end.
--- > #nn.ParameterList({tocha.ones(2), tocha.ones(3)}):parameters()
--- 2
local ParameterList = module.class("ParameterList")
containers.ParameterList = ParameterList

function ParameterList:init(list)
    list = list == nil and {} or list
    if type(list) ~= "table" or getmetatable(list) then
        raise("ParameterList: expected a table of tensors, got %s", options.describe(list))
    end
    for _, value in ipairs(list) do
        self:append(value)
    end
end

--- Adds a parameter at the end; returns the list.
function ParameterList:append(value)
    self[#self + 1] = as_parameter("ParameterList", "entry " .. #self + 1, value)
    return self
end

function ParameterList.forward()
    raise("ParameterList: holds parameters and cannot be called")
end

return containers
