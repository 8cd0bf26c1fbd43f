--- Arguments and results as trees: tables (lists, or with names) of tensors, nested as one likes.

local core = require "tocha.core"
local raise = require "tocha.raise"

local tree = {}

local LONGEST_PATH = 500

local function is_table(value)
    return type(value) == "table" and not getmetatable(value)
end

local function sorted_keys(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        if type(a) == type(b) then
            return a < b
        end
        return type(a) == "number"
    end)
    return keys
end

--- The path of what stands under key; an error where a table seems to hold itself.
local function step(path, key)
    if #path > LONGEST_PATH then
        raise("func: tables are nested too deeply; does one hold itself?")
    end
    return path .. (type(key) == "number" and "[" .. key .. "]" or "." .. tostring(key))
end

--- value with every tensor t replaced by f(t, path); path says where it stands, as "[2].w".
function tree.map(f, value, path)
    path = path or ""
    if core.is_tensor(value) then
        return f(value, path)
    elseif is_table(value) then
        local copy = {}
        for _, key in ipairs(sorted_keys(value)) do
            copy[key] = tree.map(f, value[key], step(path, key))
        end
        return copy
    end
    return value
end

--- The tensors of a tree in order, and a function that puts other values in their places.
function tree.flatten(value)
    local leaves = {}
    tree.map(function(t) leaves[#leaves + 1] = t end, value)
    return leaves, function(others)
        local i = 0
        return tree.map(function()
            i = i + 1
            return others[i]
        end, value)
    end
end

--- As map, with the dim that dims, a number, false or a tree of such like value, says for each tensor (false: none):
--- f(t, dim, path).
function tree.map_dims(f, value, dims, path)
    path = path or ""
    if is_table(value) and is_table(dims) then
        local copy = {}
        for _, key in ipairs(sorted_keys(value)) do
            copy[key] = tree.map_dims(f, value[key], dims[key] or false, step(path, key))
        end
        return copy
    end
    return tree.map(function(t, inner) return f(t, dims or false, path .. inner) end, value)
end

return tree
