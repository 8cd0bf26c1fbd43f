--- The tensors of samples: where their elements come from.
---
--- Random elements come from a small generator seeded with the sample's name, so that a sample has the same values
--- wherever it is made. Floats lie on a grid of at most 8 significant bits: every float dtype holds them exactly, so
--- one float64 reference serves all of them.

local tocha = require "tocha"

local values = {}

local Spec = {}
Spec.__index = Spec

--- Whether a value is a tensor of a sample.
function values.is_spec(value)
    return getmetatable(value) == Spec
end

local function make(spec)
    return setmetatable(spec, Spec)
end

local fields = {
    "low", "high", "step", "ints", "distinct", "dtype", "grad", "number", "kind", "shape", "elements", "imag",
}

local function with_options(spec, options)
    for _, field in ipairs(fields) do
        if options[field] ~= nil then
            spec[field] = options[field]
        end
    end
    return spec
end

--- random{2, 3, low = -3.9, high = 3.9, ints = {-9, 9}, distinct = false, dtype = nil, grad = nil}: a tensor of that
--- shape. low and high bound floats, which are multiples of step; ints bounds integers; distinct: no value twice;
--- dtype: whatever dtype the sample runs in; grad = false: takes no part in gradient checks.
function values.random(options)
    local shape = {}
    for i, size in ipairs(options) do
        shape[i] = size
    end
    return make(with_options({shape = shape, kind = "random", low = -3.9, high = 3.9, ints = {-9, 9}}, options))
end

local function flatten(nested, shape, flat, depth)
    if type(nested) ~= "table" then
        flat[#flat + 1] = nested
        return
    end
    shape[depth] = shape[depth] or #nested
    assert(shape[depth] == #nested, "rows of a literal differ in length")
    for _, item in ipairs(nested) do
        flatten(item, shape, flat, depth + 1)
    end
end

--- literal({{1, 2}, {3, 4}}, {dtype = , grad = , shape = , imag = }): exactly these elements; imag: a list of the
--- imaginary parts of complex ones, zeros unless given.
function values.literal(nested, options)
    local spec = {shape = {}, elements = {}, kind = "literal"}
    flatten(nested, spec.shape, spec.elements, 1)
    return make(with_options(spec, options or {}))
end

--- Positions from 1 to n, int64 unless dtype is given.
function values.index(n, options)
    local spec = values.random(options)
    spec.kind, spec.ints, spec.dtype, spec.grad = "index", {1, n}, options.dtype or "int64", false
    return spec
end

--- Literal positions.
function values.positions(nested, options)
    local spec = values.literal(nested, {dtype = "int64", grad = false})
    return with_options(spec, options or {})
end

--- Random booleans.
function values.mask(options)
    local spec = values.random(options)
    spec.dtype, spec.grad = "bool", false
    return spec
end

--- A number in place of a tensor; whole numbers stay integers. A complex one is what tocha.complex gives.
function values.number(value)
    return make({kind = "number", number = value, shape = {}, grad = false})
end

--- A complex number in place of a tensor or of a number.
function values.complex(re, im)
    return values.number(tocha.complex(re, im))
end

--- FNV-1a of a text, for seeds and fingerprints.
function values.hash(text)
    local h = 0xcbf29ce484222325
    for i = 1, #text do
        h = (h ~ text:byte(i)) * 0x100000001b3
    end
    return h
end

--- A function that gives whole numbers in [low, high], from Knuth's linear congruential generator MMIX.
local function generator(seed)
    local state = values.hash(seed)
    return function(low, high)
        state = state * 6364136223846793005 + 1442695040888963407
        return low + (state >> 33) % (high - low + 1)
    end
end

local function count(shape)
    local n = 1
    for _, size in ipairs(shape) do
        n = n * size
    end
    return n
end

--- n different whole numbers in [low, high], in random order.
local function distinct(next_in, n, low, high)
    assert(high - low + 1 >= n, "fewer values than elements: widen the range")
    local all = {}
    for k = low, high do
        all[#all + 1] = k
    end
    for i = 1, n do
        local j = next_in(i, #all)
        all[i], all[j] = all[j], all[i]
    end
    return table.move(all, 1, n, 1, {})
end

local function draw(spec, seed, low, high)
    local next_in = generator(seed)
    local n = count(spec.shape)
    if spec.distinct then
        return distinct(next_in, n, low, high)
    end
    local elements = {}
    for i = 1, n do
        elements[i] = next_in(low, high)
    end
    return elements
end

--- The grid's step: with it every value in [low, high] has at most 8 significant bits.
local function grid_step(low, high)
    local step = 1 / 32
    while math.max(math.abs(low), math.abs(high)) / step > 255 do
        step = step * 2
    end
    return step
end

local function draw_floats(spec, seed)
    local step = spec.step or grid_step(spec.low, spec.high)
    local elements = draw(spec, seed, math.ceil(spec.low / step), math.floor(spec.high / step))
    for i, k in ipairs(elements) do
        elements[i] = k * step
    end
    return elements
end

local function draw_ints(spec, seed, unsigned)
    local low, high = spec.ints[1], spec.ints[2]
    if unsigned and low < 0 then
        low, high = 0, math.max(high, high - low)
    end
    return draw(spec, seed, low, high)
end

--- The classes of dtypes that share their elements.
values.classes = {"complex", "float", "int", "uint", "bool"}

--- The class of a dtype.
function values.class_of(dtype)
    if dtype:find("float", 1, true) then
        return "float"
    elseif dtype:find("complex", 1, true) then
        return "complex"
    end
    return dtype == "bool" and "bool" or dtype == "uint8" and "uint" or "int"
end

local function convert_literal(v, class)
    if class == "bool" then
        return (v == true or v ~= 0 and v ~= false) and 1 or 0
    end
    v = v == true and 1 or v == false and 0 or v
    if class == "float" then
        return v + 0.0
    end
    v = assert(math.tointeger(v), "a literal that is not whole serves floats only")
    return class == "uint" and v < 0 and -v or v
end

--- Real and imaginary parts by turns.
local function interleave(re, im)
    local parts = {}
    for i, v in ipairs(re) do
        parts[2 * i - 1], parts[2 * i] = v, im[i] or 0.0
    end
    return parts
end

--- The elements in row-major order for dtypes of a class, of complex ones the parts; seed: the sample's and the
--- argument's name.
function Spec:flat(class, seed)
    if class == "complex" then
        local im = self.kind == "literal" and (self.imag or {}) or self:flat("float", seed .. ":imag")
        return interleave(self:flat("float", seed), im)
    end
    if self.kind == "literal" then
        local elements = {}
        for i, v in ipairs(self.elements) do
            elements[i] = convert_literal(v, class)
        end
        return elements
    elseif self.kind == "index" or class == "int" or class == "uint" then
        return draw_ints(self, seed, class == "uint")
    elseif class == "bool" then
        return draw({shape = self.shape}, seed, 0, 1)
    end
    return draw_floats(self, seed)
end

--- The dtype it has in a sample that runs in dtype.
function Spec:dtype_in(dtype)
    return self.dtype or dtype
end

--- The tensor, contiguous; a number stays a number.
function Spec:tensor(dtype, seed)
    if self.kind == "number" then
        return self.number
    end
    dtype = self:dtype_in(dtype)
    local flat = self:flat(values.class_of(dtype), seed)
    if #flat == 0 then
        return tocha.zeros(self.shape, {dtype = dtype})
    end
    if values.class_of(dtype) == "complex" then
        local parts = tocha.tensor(flat, {dtype = "float64"}):view(-1, 2)
        return tocha.view_as_complex(parts):to(dtype):view(self.shape)
    end
    return tocha.tensor(flat, {dtype = dtype}):view(self.shape)
end

return values
