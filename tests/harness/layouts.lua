--- The same values under other strides, for the strided runs of the harness.

local tocha = require "tocha"

local layouts = {}

local function reversed(n)
    local dims = {}
    for d = 1, n do
        dims[d] = n + 1 - d
    end
    return dims
end

--- A view whose dims stand in memory in the opposite order.
function layouts.transposed(t)
    if t:dim() < 2 then
        return t
    end
    local dims = reversed(t:dim())
    return t:permute(dims):contiguous():permute(dims)
end

local function junk(t)
    return (t:is_floating_point() or t:is_complex()) and 1e4 or t.dtype == "bool" and 1 or 99
end

--- A view into a larger tensor: an offset in front, a gap behind every element, other values all around.
function layouts.sliced(t)
    local sizes = {}
    for d = 1, t:dim() do
        sizes[d] = 2 * t:size(d) + 3
    end
    if #sizes == 0 then
        local around = tocha.tensor({0, 0, 0}):to {dtype = t.dtype, device = t.device}
        around:fill_(junk(t))
        local middle = around:select(1, 2)
        middle:copy_(t)
        return middle
    end
    local view = tocha.zeros(sizes, {dtype = t.dtype, device = t.device}):fill_(junk(t))
    for d = 1, t:dim() do
        view = view:slice(d, 3, 2 + 2 * t:size(d), 2)
    end
    view:copy_(t)
    return view
end

--- An expanded view: every entry along the first dim is the first of them. Its values are not t's.
function layouts.expanded(t)
    if t:dim() == 0 or t:size(1) < 2 then
        return t
    end
    return t:narrow(1, 1, 1):expand(t.shape)
end

return layouts
