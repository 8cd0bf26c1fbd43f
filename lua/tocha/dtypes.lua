--- What can be asked about dtypes.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local dtypes = {}

--- Bits of a number and of its fraction, and the least exponent of one that keeps all of these.
local floats = {
    float16 = {16, 10, -14}, bfloat16 = {16, 7, -126}, float32 = {32, 23, -126}, float64 = {64, 52, -1022},
}
local integers = {uint8 = 8, int8 = 8, int16 = 16, int32 = 32, int64 = 64}
local kind_names = {"bool", "u?int%d+", "b?float%d+", "complex%d+"}

local function check(who, dtype)
    local ok = type(dtype) == "string" and pcall(core.empty, 0, {dtype = dtype})
    if not ok then
        raise("%s: expected a dtype such as \"float32\", got %s", who, options.describe(dtype))
    end
    return core.empty(0, {dtype = dtype}).dtype
end

--- What a floating-point dtype (the default one unless given) can hold: a table with bits, eps (the distance of 1 from
--- the next number), max, min, tiny and smallest_normal (the least positive number that has all its digits), resolution
--- (of decimal digits) and dtype.
function dtypes.finfo(dtype)
    local name = check("finfo", dtype == nil and core.get_default_dtype() or dtype)
    name = name == "complex64" and "float32" or name == "complex128" and "float64" or name
    if not floats[name] then
        raise("finfo: expected a floating-point dtype, got %s; iinfo tells about integers", name)
    end
    local bits, fraction, least = table.unpack(floats[name])
    local most = (2 - 2.0 ^ -fraction) * 2.0 ^ (1 - least)
    return {
        dtype = name, bits = bits, eps = 2.0 ^ -fraction, max = most, min = -most, tiny = 2.0 ^ least,
        smallest_normal = 2.0 ^ least, resolution = 10.0 ^ -(fraction * math.log(2, 10) // 1),
    }
end

--- What an integer dtype can hold: a table with bits, min, max and dtype.
function dtypes.iinfo(dtype)
    local name = check("iinfo", dtype)
    local bits = integers[name]
    if not bits then
        raise("iinfo: expected an integer dtype, got %s; finfo tells about floating-point ones", name)
    end
    local least = name == "uint8" and 0 or -1 << (bits - 1)
    return {dtype = name, bits = bits, min = least, max = name == "uint8" and 255 or ~least}
end

--- The dtype that holds the numbers of both.
function dtypes.promote_types(type1, type2)
    local a = core.empty(0, {dtype = check("promote_types", type1)})
    return core.add(a, core.empty(0, {dtype = check("promote_types", type2)})).dtype
end

--- What stands for a tensor or a number in arithmetic, without its elements.
local function stand_in(who, what, x)
    if type(x) == "number" or type(x) == "boolean" then
        return type(x) == "number" and x or core.zeros({}, {dtype = "bool"})
    elseif not core.is_tensor(x) then
        raise("%s: %s must be a tensor or a number, got %s", who, what, options.describe(x))
    end
    return core.zeros(x:dim() == 0 and {} or {0}, {dtype = x.dtype})
end

--- The dtype that arithmetic of two tensors, or of a tensor and a number, has as its result.
function dtypes.result_type(tensor1, tensor2)
    return core.add(stand_in("result_type", "tensor1", tensor1), stand_in("result_type", "tensor2", tensor2)).dtype
end

local function kind_of(name)
    for kind, pattern in ipairs(kind_names) do
        if name:find("^" .. pattern .. "$") then
            return kind
        end
    end
end

--- Whether numbers of dtype from may be written into a tensor of dtype to: one of the same kind, or of a later one of
--- bool, integers, floats, complex numbers.
function dtypes.can_cast(from, to)
    return kind_of(check("can_cast", from)) <= kind_of(check("can_cast", to))
end

return dtypes
