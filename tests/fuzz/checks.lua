--- What must hold after any call, whatever it was given.

local tocha = require "tocha"

local checks = {}

local raw_type, floor = type, math.floor

--- Texts that no user should see.
local internal = {
    "unknown error", "which its row does not name", "is NULL", "%(null%)", "bad argument", "assert", "attempt to",
    "stack overflow", "error in error handling", "not enough memory", "C stack", "POSITION",
}

--- A message without the place in front; nil where there is none.
local function without_place(message)
    return message:match "^[^\n]-%.lua:%d+: (.*)$"
end

--- As a set of names: an error may begin with any.
checks.any = {}

--- Why the message of a refusal is not one: nil where it is good. names: the set of what it may begin with.
function checks.message(message, names)
    if raw_type(message) ~= "string" then
        return "the error is a " .. raw_type(message) .. " value: " .. tostring(message)
    end
    local text = without_place(message)
    if not text then
        return "the error names no line of Lua: " .. message
    end
    for _, pattern in ipairs(internal) do
        if text:find(pattern) then
            return "internal words in an error: " .. message
        end
    end
    local name = text:match "^([^ :]+): " or text:match "^(backward) through "
    if names == checks.any then
        name = name or text:match "^%S[^:\n]*: "
    else
        name = name and names[name]
    end
    if not name then
        return "the error does not begin with the operator's name: " .. message
    end
end

--- The product of sizes, each at least least.
local function product(shape, least)
    local n = 1
    for _, size in ipairs(shape) do
        n = n * math.max(size, least)
        n = n < 0 and math.maxinteger or n
    end
    return n
end

--- Why a tensor is not sound, or nil. Reads all elements of a small one, for the sanitizer to see. What a finalizer
--- has freed is sound.
function checks.tensor(x)
    if not pcall(x.dim, x) then
        return nil
    end
    local shape = x:size()
    for _, size in ipairs(shape) do
        if size < 0 then
            return "a size is negative: " .. tostring(shape)
        end
    end
    if #shape ~= x:dim() or product(shape, 0) ~= x:numel() then
        return ("shape %s, %d dims, %d elements"):format(tostring(shape), x:dim(), x:numel())
    end
    if x:numel() <= 4096 and product(shape, 1) <= 4096 then
        local list = x:tolist()
        if x.dtype == "bool" and x:numel() == 1 and x:dim() == 0 and raw_type(list) ~= "boolean" then
            return "a bool that is " .. tostring(list)
        end
    end
end

local function flatten(nested, list)
    if raw_type(nested) ~= "table" then
        list[#list + 1] = tostring(nested)
        return list
    end
    for _, item in ipairs(nested) do
        flatten(item, list)
    end
    return list
end

--- All that a user can see of a small tensor as one text, to compare before and after; nil for a large one.
function checks.snapshot(x)
    if not tocha.is_tensor(x) then
        return nil
    end
    local ok, text = pcall(function()
        if product(x:size(), 1) > 2000 then
            return nil
        end
        return x.dtype .. tostring(x.shape) .. table.concat(flatten(x:tolist(), {}), " "):gsub("%-nan", "nan")
    end)
    return ok and text or nil
end

local function out_of_range(index, size)
    for _, text in ipairs(flatten(index:tolist(), {})) do
        local v = floor(tonumber(text))
        if v == 0 or v > size or v < -size then
            return ("position %d in a dim of size %d was accepted"):format(v, size)
        end
    end
end

local along_dim = {gather = true, scatter = true, scatter_add = true, index_select = true, index_add = true}

--- Why positions among args should have been refused by the operator of that name, or nil.
function checks.positions(name, args)
    local x, d = args[1], args[2]
    if along_dim[name] and tocha.is_tensor(x) and tocha.is_tensor(args[3]) then
        if raw_type(d) == "number" and args[3]:numel() > 0 and args[3]:numel() < 5000 then
            return out_of_range(args[3], x:dim() > 0 and x:size(floor(d)) or 1)
        end
    elseif name == "embedding" and tocha.is_tensor(x) and tocha.is_tensor(d) and x:numel() > 0 then
        return out_of_range(x, d:size(1))
    end
end

return checks
