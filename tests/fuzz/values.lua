--- Random values for calls: tensors of every layout and dtype, and what is no tensor at all.
---
--- Sizes are either small or so large that no machine has the memory: a call must do little or be refused.

local tocha = require "tocha"

local values = {}

local random = math.random

values.dtypes = {"float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
    "complex64", "complex128"}
local float_dtypes = {"float32", "float64", "float16", "bfloat16"}
local int_dtypes = {"int64", "int32", "int16", "int8", "uint8"}

--- Sizes that a machine could have the memory for are asked for only under a limit.
local limited = os.getenv "TOCHA_MEMORY_LIMIT" ~= nil

--- True with probability p.
function values.chance(p)
    return random() < p
end
local chance = values.chance

--- One of a list.
function values.pick(list)
    return list[random(#list)]
end
local pick = values.pick

--- A size from 0 on, mostly small.
function values.size()
    return pick {0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 7, 8, 9, 16, 17, 33}
end

--- A size from 1 on.
function values.some_size()
    return pick {1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 16, 17, 18}
end

--- A number of elements that no memory holds.
function values.huge()
    return pick {1 << 46, (1 << 46) + 1, 1 << 53, 1 << 60, 1 << 61, 1 << 62, math.maxinteger, math.maxinteger - 1}
end

--- Integers, mostly small, at times at the ends of what 8, 32 and 64 bits hold.
function values.integer()
    if chance(0.8) then
        return random(-3, 9)
    end
    return pick {0, -1, 127, 128, 255, 256, -128, -129, limited and 1 << 31 or 100, limited and -(1 << 31) or -100,
        1 << 53, math.maxinteger, math.mininteger, math.mininteger + 1, values.huge(), -values.huge()}
end

--- Whole ones are taken for sizes: none here would be one that a machine could have the memory for.
local odd_floats = {0 / 0, 1 / 0, -1 / 0, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e-40, 65503.75, 65520.5, 3.5e38, 2.0 ^ 63,
    -2.0 ^ 63, 2.0 ^ 53, 1e19, 0.1, -0.5, 1.0, 2.0, 1e-8}

--- A float, at times nan, infinite or at the end of some range.
function values.float()
    return chance(0.7) and (random() - 0.5) * 8 or pick(odd_floats)
end

--- A Lua number of either kind. Nothing that would be a large but possible size.
function values.number()
    return chance(0.5) and values.integer() or values.float()
end

--- The elements of a tensor of that shape, and what stands around empty dims: the tables that tolist() makes of them.
local function entries(shape)
    local n = 1
    for _, size in ipairs(shape) do
        n = n * math.max(size, 1)
    end
    return n
end

--- Sizes of a tensor of rank dims (random without it), now and then of enough elements for several threads.
function values.shape(rank)
    rank = rank or pick {0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 8}
    local shape = {}
    for d = 1, rank do
        shape[d] = values.size()
    end
    local most = chance(0.1) and 20000 or 1500
    while entries(shape) > most do
        shape[random(rank)] = random(1, 2)
    end
    return shape
end

local function fill_float(x)
    x:normal_(0, 3)
    if chance(0.15) and x:numel() > 0 then
        local flat = x:view(-1)
        for _ = 1, random(3) do
            pcall(flat.fill_, flat:narrow(1, random(flat:numel()), 1), pick(odd_floats))
        end
    end
    return x
end

--- A contiguous tensor of those sizes with random elements.
function values.plain(shape, dtype)
    if dtype:find "float" then
        return fill_float(tocha.zeros(shape, {dtype = dtype}))
    elseif dtype:find "complex" then
        local n = 1
        for _, size in ipairs(shape) do
            n = n * size
        end
        return tocha.view_as_complex(fill_float(tocha.zeros(n, 2, {dtype = "float64"}))):to(dtype):view(shape)
    elseif dtype == "bool" then
        return tocha.randint(0, 1, shape):to "bool"
    end
    local low = dtype == "uint8" and 0 or -9
    return tocha.randint(low, chance(0.1) and 127 or 9, shape, {dtype = dtype})
end

--- Each makes a tensor of the sizes shape whose elements do not stand in a row.
local layouts = {}

function layouts.reversed(shape, dtype)
    local order, turned = {}, {}
    for d = 1, #shape do
        turned[d], order[d] = shape[#shape + 1 - d], #shape + 1 - d
    end
    return #shape > 0 and values.plain(turned, dtype):permute(order) or values.plain(shape, dtype)
end

function layouts.stepped(shape, dtype)
    local wide = table.move(shape, 1, #shape, 1, {})
    if #shape == 0 then
        return values.plain({3}, dtype)[2]
    end
    local d = random(#shape)
    wide[d] = 2 * shape[d] + 1
    return values.plain(wide, dtype):slice(d, 2, 2 * shape[d] + 1, 2)
end

function layouts.expanded(shape, dtype)
    local narrow = {}
    for d, size in ipairs(shape) do
        narrow[d] = chance(0.5) and 1 or size
    end
    return values.plain(narrow, dtype):expand(shape)
end

function layouts.overlapping(shape, dtype)
    local stride, reach = {}, 1
    for d = 1, #shape do
        stride[d] = random(0, 3)
        reach = reach + stride[d] * math.max(shape[d] - 1, 0)
    end
    return values.plain({reach}, dtype):as_strided(shape, stride)
end

function layouts.last_first(shape, dtype)
    local n = #shape
    if n < 2 then
        return values.plain(shape, dtype)
    end
    local turned = table.move(shape, 1, n, 1, {})
    turned[1], turned[n] = turned[n], turned[1]
    return values.plain(turned, dtype):transpose(1, n)
end

local layout_names = {"reversed", "stepped", "expanded", "overlapping", "last_first"}

--- A tensor of those sizes in a random layout.
function values.laid_out(shape, dtype)
    return chance(0.55) and values.plain(shape, dtype) or layouts[pick(layout_names)](shape, dtype)
end

--- A dtype, mostly float32.
function values.dtype()
    return chance(0.4) and "float32" or chance(0.5) and pick(float_dtypes) or pick(values.dtypes)
end

--- A tensor: shape and dtype are random where they are not given; at times part of a graph.
function values.tensor(shape, dtype)
    dtype = dtype or values.dtype()
    local x = values.laid_out(shape or values.shape(), dtype)
    if dtype:find "float" and chance(0.35) then
        x = x:detach():requires_grad_()
        x = chance(0.3) and x * 2 or chance(0.3) and x:clone() or x
    end
    return x
end

--- A tensor whose sizes broadcast with shape.
function values.broadcast(shape, dtype)
    local narrow = {}
    for d = chance(0.3) and random(#shape + 1) or 1, #shape do
        narrow[#narrow + 1] = chance(0.3) and 1 or shape[d]
    end
    return values.tensor(narrow, dtype)
end

--- A tensor that shares memory with x: itself, another layout of it, or a part.
function values.overlapping(x)
    local kind = random(5)
    if kind == 1 or x:dim() == 0 then
        return x
    elseif kind == 2 then
        local d = random(x:dim())
        return x:size(d) > 0 and x:narrow(d, 1, random(0, x:size(d))) or x
    elseif kind == 3 then
        return x:transpose(1, x:dim())
    elseif kind == 4 and x:size(1) > 0 then
        return x[random(x:size(1))]
    end
    return x:detach()
end

--- An integer tensor of positions up to size; at times some are out of range.
function values.positions(shape, size)
    local dtype = chance(0.7) and "int64" or pick(int_dtypes)
    local x = tocha.randint(1, math.max(1, math.min(size, 100)), shape, {dtype = dtype})
    if x:numel() > 0 and chance(0.25) then
        local at = random(x:numel())
        local v = pick {0, size + 1, 127, -1, -size, -size - 1}
        x:view(-1)[at] = dtype == "uint8" and math.abs(v) % 256 or dtype == "int8" and v % 128 or v
    end
    return chance(0.8) and x or chance(0.5) and layouts.expanded(shape, "int64") or x:contiguous():transpose(1, -1)
end

--- A bool tensor that fits onto shape, mostly.
function values.mask(shape)
    return chance(0.8) and values.laid_out(shape, "bool") or values.broadcast(shape, "bool")
end

--- A tensor that was freed.
function values.freed()
    local x = tocha.ones(2)
    getmetatable(x).__close(x)
    return x
end

local function self_referencing()
    local t = {1}
    t[2] = t
    t.dim = t
    return t
end

--- A table whose length is said to be about 2^61 by its border search.
local function sparse()
    local t = {}
    for k = 0, 61 do
        t[1 << k] = 1
    end
    return t
end

local junk = {
    function() return nil end,
    function() return true end,
    function() return false end,
    function() return "" end,
    function() return "a\0b" end,
    function() return "mean" end,
    function() return ("x"):rep(5000) end,
    function() return "%s%n%d" end,
    function() return {} end,
    function() return {{}, {{}}} end,
    function() return {{1, 2}, {3}} end,
    function() return {1, 2, dim = 1} end,
    function() return {bogus = 1} end,
    function() return {[true] = 1, [1.5] = 2, dtype = "int8"} end,
    function() return {["a\0b"] = 1} end,
    self_referencing,
    sparse,
    function()
        return setmetatable({}, {__index = function() error "thrown on purpose" end, __len = function() return 3 end})
    end,
    function() return function(...) return ... end end,
    function() return coroutine.create(tostring) end,
    function() return io.stdout end,
    function() return 0 / 0 end,
    function() return 1 / 0 end,
    function() return 1.5 end,
    function() return "7" end,
    values.huge,
    function() return -values.huge() end,
    values.integer,
    values.float,
    values.freed,
    function() return values.tensor() end,
    function() return values.tensor({0}) end,
    function() return values.tensor({}) end,
    function() return {values.tensor(), values.tensor()} end,
    function() return {values.freed()} end,
    function()
        local list = {}
        for i = 1, 40 do
            list[i] = i
        end
        return list
    end,
    function()
        local list, x = {}, values.tensor({2}, "float32")
        for i = 1, 40 do
            list[i] = x
        end
        return list
    end,
}

--- Anything.
function values.junk()
    return pick(junk)()
end

--- A value in a few words, for the failures that are shown.
function values.describe(v, depth)
    depth = depth or 0
    if tocha.is_tensor(v) then
        local ok, text = pcall(function()
            return ("<%s %s stride %s offset %d%s>"):format(v.dtype, tostring(v.shape), table.concat(v:stride(), ","),
                v:storage_offset(), v.requires_grad and " grad" or "")
        end)
        return ok and text or "<freed>"
    elseif type(v) == "table" and depth < 3 then
        local parts = {}
        for k, item in pairs(v) do
            if #parts < 8 then
                local key = type(k) == "string" and ("%q"):format(k) or tostring(k)
                parts[#parts + 1] = (type(k) == "number" and "" or key .. " = ") .. values.describe(item, depth + 1)
            end
        end
        return "{" .. table.concat(parts, ", ") .. "}"
    elseif type(v) == "string" then
        return ("%q"):format(#v > 30 and v:sub(1, 30) .. "..." or v)
    end
    return tostring(v)
end

return values
