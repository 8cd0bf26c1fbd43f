--- Classes whose modules keep what their constructor is given, and apply an operator with it.

local core = require "tocha.core"
local help = require "tocha.help"
local options = require "tocha.options"
local class = require("nn.module").class

local function text_of(value)
    if type(value) ~= "table" then
        return type(value) == "string" and ("%q"):format(value) or tostring(value)
    end
    local items = {}
    for i, item in ipairs(value) do
        items[i] = text_of(item)
    end
    return "{" .. table.concat(items, ", ") .. "}"
end

--- Required arguments by position, others by name where they differ from their default.
local function settings(self, spec)
    local first, rest = {}, {}
    for _, entry in ipairs(spec) do
        local name, kind, default = entry[1], entry[2], entry[3]
        local value = rawget(self, name)
        if value == nil and default == true then
            value = false
        end
        local plain = kind ~= "tensor" and not core.is_tensor(value) and name ~= "dtype" and name ~= "device"
        if default == nil and not entry.optional then
            first[#first + 1] = text_of(value)
        elseif plain and value ~= nil and text_of(value) ~= text_of(default) then
            rest[#rest + 1] = ("%s = %s"):format(name, text_of(value))
        end
    end
    if #rest > 0 then
        first[#first + 1] = ("{%s}"):format(table.concat(rest, ", "))
    end
    return table.concat(first, ", ")
end

--- A class with the arguments of spec, as options.read has them, which become its fields: tensors as buffers, and none
--- of those that are marked as made, in place of which init makes something.
--- forward(self, ...) computes; init(self, values), which may be left out, makes what else there is. parent: another
--- class than Module.
return function(name, spec, forward, init, parent)
    local new = class(name, parent)
    local info = debug.getinfo(2, "Sl")
    help.places[new] = {source = info.source, line = info.currentline}
    function new:init(...)
        local values = options.read(name, spec, ...)
        for _, entry in ipairs(spec) do
            if entry[2] == "tensor" then
                self:register_buffer(entry[1], values[entry[1]])
            elseif not entry.made and entry[1] ~= "dtype" and entry[1] ~= "device" then
                self[entry[1]] = values[entry[1]]
            end
        end
        if init then
            init(self, values)
        end
    end
    new.forward = forward
    function new:extra_repr()
        return settings(self, spec)
    end
    return new
end
