--- Histograms of one and several variables, numerical gradients, products of several matrices.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local analysis = {}

local describe, read = options.describe, options.arguments

local count_bins = core.histogram

--- A list of numbers as a tensor; anything else as it is.
local function as_tensor(name, what, list, dtype)
    if type(list) == "table" and not core.is_tensor(list) and type(list[1]) == "number" then
        for i = 1, #list do
            if type(list[i]) ~= "number" then
                raise("%s: %s must be a list of numbers, entry %d is %s", name, what, i, describe(list[i]))
            end
        end
        return core.tensor(list, {dtype = dtype})
    end
    return list
end

--- How many elements of input fall between edges, or the sums of their weights.
--- input: any shape, float32 or float64; bins: a number of intervals of equal width, or their ascending edges as a
--- vector; range: the outer edges as a list of two numbers, the least and the largest element unless given; weight:
--- input's shape; density: whether the counts are divided by their sum and the widths.
--- Returns hist (bins) and bin_edges (bins + 1).
function analysis.histogram(...)
    local a = read("histogram", {"input", "bins", "range", "weight", "density"}, ...)
    options.tensor("histogram", "input", a.input)
    local range = as_tensor("histogram", "range", a.range, "float64")
    return count_bins(a.input, a.bins, range, a.weight, a.density or false)
end

--- The ascending edges of each variable's intervals.
local function edges_of(points, a)
    local edges, variables = {}, points:size(2)
    local bins = a.bins
    if type(bins) == "number" then
        bins = {}
        for d = 1, variables do
            bins[d] = a.bins
        end
    end
    if type(bins) ~= "table" or core.is_tensor(bins) or #bins ~= variables then
        raise("histogramdd: bins must be a number or a list of %d, one for each variable, got %s", variables,
            describe(a.bins))
    end
    if a.range ~= nil and (type(a.range) ~= "table" or core.is_tensor(a.range) or #a.range ~= 2 * variables) then
        raise("histogramdd: range must be a list of %d numbers, two for each variable, got %s", 2 * variables,
            describe(a.range))
    end
    for d = 1, variables do
        local range = a.range and {a.range[2 * d - 1], a.range[2 * d]}
        edges[d] = core.is_tensor(bins[d]) and bins[d] or
            select(2, analysis.histogram(points:select(2, d):contiguous(), bins[d], range))
    end
    return edges
end

--- The number of the interval of each x from 1 on, and whether x lies in any.
local function place(x, edges)
    local bins = edges:numel() - 1
    local inside = x:ge(edges[1]):logical_and(x:le(edges[-1]))
    return (core.searchsorted(edges, x, {right = true}) - 1):clamp(1, bins), inside, bins
end

local function counted(points, edges, weight)
    local flat, inside, sizes, total = 0, nil, {}, 1
    for d, own in ipairs(edges) do
        local at, within, bins = place(points:select(2, d):contiguous(), own)
        flat = flat * bins + (at - 1)
        inside = inside and inside:logical_and(within) or within
        sizes[d], total = bins, total * (bins + 0.0)
    end
    if total > 2.0 ^ 30 then
        raise("histogramdd: bins are %.0f in all, at most 2^30 are possible", total)
    end
    local each = weight or core.ones(points:size(1), {dtype = points.dtype})
    local hist = core.zeros(math.tointeger(total), {dtype = points.dtype})
    return hist:scatter_add(1, flat + 1, core.where(inside, each, 0)):view(sizes)
end

--- How many points fall into the cells of a grid, or the sums of their weights.
--- input: points (n, variables), float32 or float64; bins: the number of intervals of each variable, as a number or a
--- list of numbers or of vectors of ascending edges; range: a list of two numbers for each variable; weight: (n);
--- density: whether the counts are divided by their sum and the cells' volumes.
--- Returns hist, with a dim for each variable, and a list of bin edges.
function analysis.histogramdd(...)
    local a = read("histogramdd", {"input", "bins", "range", "weight", "density"}, ...)
    local points = options.tensor("histogramdd", "input", a.input)
    if points:dim() < 2 or points.dtype ~= "float32" and points.dtype ~= "float64" then
        raise("histogramdd: input must be points (n, variables) of float32 or float64, got %s %s", points.dtype,
            tostring(points.shape))
    end
    points = points:reshape(-1, points:size(-1))
    if points:size(2) == 0 or points:size(2) > 8 then
        raise("histogramdd: input must have from 1 to 8 variables, got %d", points:size(2))
    end
    local weight = a.weight
    if weight ~= nil then
        weight = options.tensor("histogramdd", "weight", weight):reshape(-1)
        if weight:numel() ~= points:size(1) then
            raise("histogramdd: weight must have %d numbers, one a point, got %d", points:size(1), weight:numel())
        end
    end
    local edges = edges_of(points, a)
    local hist = counted(points, edges, weight)
    if a.density then
        hist = hist / hist:sum()
        for d, own in ipairs(edges) do
            local shape = {}
            for k = 1, #edges do
                shape[k] = k == d and -1 or 1
            end
            hist = hist / own:diff():view(shape)
        end
    end
    return hist, edges
end

--- Differences of f along dim over intervals h, a number or their lengths in a shape that broadcasts.
local function slopes(f, dim, h, edge_order)
    local n = f:size(dim)
    local function part(x, first, length)
        return core.is_tensor(x) and x:narrow(dim, first, length) or x
    end
    local before, after = part(h, 1, n - 2), part(h, 2, n - 2)
    local low, middle, high = part(f, 1, n - 2), part(f, 2, n - 2), part(f, 3, n - 2)
    local inner
    if core.is_tensor(h) then
        inner = low * (-after / (before * (before + after))) + middle * ((after - before) / (before * after)) +
            high * (before / (after * (before + after)))
    else
        inner = (high - low) / (2 * h)
    end
    local function edge(at, near, far, sign)
        local one, two = part(h, near, 1), part(h, far, 1)
        local a, b = part(f, at, 1), part(f, at + sign, 1)
        if edge_order == 1 then
            return (b - a) / one * sign
        end
        local c = part(f, at + 2 * sign, 1)
        return (a * (-(2 * one + two) / (one * (one + two))) + b * ((one + two) / (one * two)) -
            c * (one / (two * (one + two)))) * sign
    end
    return core.cat({edge(1, 1, 2, 1), inner, edge(n, n - 1, n - 2, -1)}, dim)
end

--- spacing for the k-th of the dims: a number, or the lengths of the intervals in a shape that broadcasts.
local function spacing_along(f, dim, spacing, k, count)
    if type(spacing) == "table" and not core.is_tensor(spacing) then
        if #spacing ~= count then
            raise("gradient: spacing must be a number or a list of %d, one for each dim, got %d", count, #spacing)
        end
        spacing = spacing[k]
    end
    if type(spacing) == "number" then
        return spacing
    elseif not core.is_tensor(spacing) then
        raise("gradient: spacing must be numbers or vectors of coordinates, got %s", describe(spacing))
    elseif spacing:dim() == 0 then
        return spacing:item()
    elseif spacing:dim() ~= 1 or spacing:numel() ~= f:size(dim) then
        raise("gradient: spacing must have %d coordinates along dim %d, got shape %s", f:size(dim), dim,
            tostring(spacing.shape))
    end
    local shape = {}
    for d = 1, f:dim() do
        shape[d] = d == dim and -1 or 1
    end
    return spacing:diff():view(shape)
end

local function dims_of(f, dim)
    local dims, seen = {}, {}
    if dim == nil then
        for d = 1, f:dim() do
            dims[d] = d
        end
        return dims
    end
    for i, d in ipairs(type(dim) == "table" and dim or {dim}) do
        local n = f:dim()
        local whole = type(d) == "number" and math.tointeger(d)
        if not whole or whole == 0 or whole > n or whole < -n then
            raise("gradient: dim must be an integer in [-%d, %d], got %s", n, n, describe(d))
        end
        dims[i] = whole < 0 and whole + n + 1 or whole
        if seen[dims[i]] then
            raise("gradient: dim names dim %d twice", dims[i])
        end
        seen[dims[i]] = true
    end
    return dims
end

--- A list of the derivatives of a function along dims, from its values input on a grid: by central differences, and
--- one-sided ones at the ends, exact for polynomials up to degree edge_order.
--- spacing: the distance of neighbours, 1 unless given, or a list with a distance or a vector of coordinates for each
--- dim; dim: one or a list, all unless given; edge_order: 1 or 2.
function analysis.gradient(...)
    local a = read("gradient", {"input", "spacing", "dim", "edge_order"}, ...)
    local f, order, list = options.tensor("gradient", "input", a.input), a.edge_order or 1, {}
    if order ~= 1 and order ~= 2 then
        raise("gradient: edge_order must be 1 or 2, got %s", describe(order))
    end
    local dims = dims_of(f, a.dim)
    for k, dim in ipairs(dims) do
        if f:size(dim) < order + 1 then
            raise("gradient: input must have %d entries at least along dim %d, got %d", order + 1, dim, f:size(dim))
        end
        local h = spacing_along(f, dim, a.spacing == nil and 1 or a.spacing, k, #dims)
        list[k] = slopes(f, dim, h, order)
    end
    return list
end

--- The product of matrices, given one by one or as a list, in the order that takes the least work: linalg.multi_dot.
function analysis.chain_matmul(...)
    local first = ...
    if type(first) == "table" and not core.is_tensor(first) then
        return core.linalg_multi_dot(...)
    end
    return core.linalg_multi_dot {...}
end

return analysis
