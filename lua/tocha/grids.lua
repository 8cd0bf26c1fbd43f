--- What gives several tensors of one shape: grids, broadcasting, and positions taken apart.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local grids = {}

--- The tensors among the arguments, given one by one or as a list, and what comes behind them.
local function tensors_of(name, ...)
    local given = {...}
    local list, rest = {}, 1
    if type(given[1]) == "table" and not core.is_tensor(given[1]) then
        list, rest = given[1], 2
    else
        while core.is_tensor(given[rest]) do
            list[rest], rest = given[rest], rest + 1
        end
    end
    if #list == 0 then
        raise("%s: tensors must hold at least one tensor", name)
    end
    for i = 1, #list do
        if not core.is_tensor(list[i]) then
            raise("%s: tensors must be tensors, number %d is %s", name, i, options.describe(list[i]))
        end
    end
    return list, given[rest]
end

local indexings = {ij = true, xy = true}

local function read_indexing(given)
    local indexing = given == nil and "ij" or given
    if type(given) == "table" then
        local unknown = next(given)
        if unknown ~= nil and unknown ~= "indexing" then
            raise("meshgrid: unknown option %s; known: indexing", options.describe(unknown))
        end
        indexing = given.indexing or "ij"
    end
    if not indexings[indexing] then
        raise("meshgrid: indexing must be \"ij\" or \"xy\", got %s", options.describe(indexing))
    end
    return indexing
end

--- A list of as many tensors as are given, vectors or scalars: the coordinates of the grid that they span. All have a
--- dim for each vector; number i runs along dim i. They are views that repeat the vectors.
--- tensors: a list, or one argument each; indexing: "ij", or "xy" for rows that count the second vector and columns
--- that count the first.
function grids.meshgrid(...)
    local vectors, given = tensors_of("meshgrid", ...)
    local indexing = read_indexing(given)
    local sizes, list = {}, {}
    for i, v in ipairs(vectors) do
        if v:dim() > 1 then
            raise("meshgrid: tensors must be vectors or scalars, number %d has shape %s", i, tostring(v.shape))
        end
        if v.dtype ~= vectors[1].dtype then
            raise("meshgrid: tensors must have one dtype, number 1 has %s and number %d has %s", vectors[1].dtype, i,
                v.dtype)
        end
        sizes[i] = v:numel()
    end
    for i, v in ipairs(vectors) do
        local own = {}
        for d = 1, #vectors do
            own[d] = d == i and sizes[i] or 1
        end
        list[i] = v:reshape(own):expand(sizes)
        if indexing == "xy" and #vectors > 1 then
            list[i] = list[i]:transpose(1, 2)
        end
    end
    return list
end

--- The sizes that shapes broadcast to, as a shape.
local function joined_shape(name, shapes)
    local joined = {}
    for i, shape in ipairs(shapes) do
        options.shape(name, shape)
        for d = 1, math.max(#shape, #joined) do
            -- Counted from the last dim.
            local size, so_far = shape[#shape + 1 - d] or 1, joined[d] or 1
            if size ~= so_far and size ~= 1 and so_far ~= 1 then
                raise("%s: shape number %d, %s, does not broadcast with those before it: counted from the last dim, "
                    .. "sizes must be equal or 1", name, i, table.concat(shape, "x"))
            end
            joined[d] = size == 1 and so_far or size
        end
    end
    local sizes = {}
    for d, size in ipairs(joined) do
        sizes[#joined + 1 - d] = size
    end
    return (options.shape(name, sizes))
end

--- The shape that shapes broadcast to.
--- Each argument is a list of sizes, or a size.
function grids.broadcast_shapes(...)
    local shapes = {...}
    for i, shape in ipairs(shapes) do
        shapes[i] = type(shape) == "number" and {shape} or shape
    end
    return joined_shape("broadcast_shapes", shapes)
end

--- A list of the tensors given, each as a view of the shape that they broadcast to together.
--- tensors: a list, or one argument each.
function grids.broadcast_tensors(...)
    local tensors = tensors_of("broadcast_tensors", ...)
    local shapes, list = {}, {}
    for i, t in ipairs(tensors) do
        shapes[i] = t.shape
    end
    local shape = joined_shape("broadcast_tensors", shapes)
    for i, t in ipairs(tensors) do
        list[i] = t:expand(shape)
    end
    return list
end

--- Refuses positions that are not in 1 to count, telling the first of them.
local function check_positions(indices, count)
    local bad = core.logical_or(indices:lt(1), indices:gt(count))
    if bad:any():item() then
        local at = bad:nonzero()
        local place = at:size(2) > 0 and at[1]:tolist() or {}
        local value = #place > 0 and indices[place] or indices
        local text = #place == 1 and tostring(place[1]) or "{" .. table.concat(place, ", ") .. "}"
        raise("unravel_index: indices must be in [1, %d], got %d at position %s", count, value:item(), text)
    end
end

--- A list of one tensor for each dim of a tensor of shape shape: the position along it of the element whose number in
--- row-major order, counted from 1, indices holds.
--- indices: integers, any shape; shape: a list of sizes.
function grids.unravel_index(...)
    local a = options.arguments("unravel_index", {"indices", "shape"}, ...)
    if not core.is_tensor(a.indices) or a.indices:is_floating_point() or a.indices.dtype == "bool" then
        raise("unravel_index: indices must be an integer tensor, got %s",
            core.is_tensor(a.indices) and a.indices.dtype or options.describe(a.indices))
    end
    local sizes = type(a.shape) == "number" and {a.shape} or a.shape
    local _, count = options.shape("unravel_index", sizes)
    local rest, list = a.indices:to "int64" - 1, {}
    check_positions(a.indices, count)
    for d = #sizes, 1, -1 do
        if sizes[d] > 0 then
            list[d], rest = rest % sizes[d] + 1, rest // sizes[d]
        else
            list[d] = rest
        end
    end
    return list
end

return grids
