--- Sequential and ModuleList.

local options = require "tocha.options"
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

return containers
