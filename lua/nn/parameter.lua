--- Which tensors are parameters, and which were replaced by a module's to().

local core = require "tocha.core"
local describe = require("tocha.options").describe
local raise = require "tocha.raise"

local parameter = {}

local known = setmetatable({}, {__mode = "k"})
local replaced = setmetatable({}, {__mode = "k"})

--- Counts the calls of replace(), so that optimisers need not look when nothing changed.
parameter.generation = 0

--- Makes a tensor a parameter: a leaf that requires a gradient and that modules find in their fields. It shares
--- its elements with the tensor given. requires_grad = false leaves it frozen.
function parameter.make(tensor, requires_grad)
    if not core.is_tensor(tensor) then
        raise("Parameter: expected a tensor, got %s", describe(tensor))
    end
    local p = tensor:detach()
    if requires_grad ~= false then
        p:requires_grad_(true)
    end
    known[p] = true
    return p
end

--- Whether a value in a module's field is a parameter: made one, or a leaf that requires a gradient.
function parameter.is(value)
    if known[value] then
        return true
    end
    if core.is_tensor(value) and value.requires_grad and value.is_leaf then
        known[value] = true
        return true
    end
    return false
end

--- Notes that new stands in old's place.
function parameter.replace(old, new)
    known[new] = true
    replaced[old] = true
    parameter.generation = parameter.generation + 1
end

function parameter.is_replaced(tensor)
    return replaced[tensor] == true
end

return parameter
