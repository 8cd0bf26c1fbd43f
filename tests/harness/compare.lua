--- Compares results with references: integers exactly, floats within the precision of their dtype.

local tocha = require "tocha"

local compare = {}

local mantissa = {float16 = 10, bfloat16 = 7}
local smallest_exponent = {float16 = -14, bfloat16 = -126}
local overflow = {float16 = 65520, bfloat16 = 2.0 ^ 127 * (2 - 2 ^ -8)}

--- The distance of neighbouring numbers of a half dtype around x.
local function half_ulp(dtype, x)
    local exponent = smallest_exponent[dtype]
    local magnitude = math.abs(x)
    if magnitude > 2.0 ^ exponent then
        exponent = math.floor(math.log(magnitude, 2))
        if 2.0 ^ exponent > magnitude then
            exponent = exponent - 1
        end
    end
    return 2.0 ^ (exponent - mantissa[dtype])
end

local default_rtol = {float32 = 2e-6, float64 = 1e-10}

--- The largest difference allowed around the expected value x. scale: the largest magnitude in the reference, to
--- which sums of cancelling terms are rounded. options: rtol, rtol64 (float64's), ulps (half types').
local function tolerance(dtype, x, scale, options)
    if mantissa[dtype] then
        local ulps = options.ulps or 0.51
        return ulps * half_ulp(dtype, x) + (ulps > 1 and scale * 2.0 ^ -mantissa[dtype] * 0.25 or 0) + scale * 1e-6
    end
    local wide = dtype == "float64" or dtype == "complex128"
    local rtol = wide and (options.rtol64 or default_rtol.float64) or options.rtol or default_rtol.float32
    return rtol * math.abs(x) + rtol * scale * 0.5
end

local function is_finite(x)
    return x == x and x ~= math.huge and x ~= -math.huge
end

--- Whether got stands for expected (a float64 value) in a float dtype.
local function float_agrees(got, expected, dtype, scale, options)
    if expected ~= expected then
        return got ~= got
    elseif overflow[dtype] and math.abs(expected) >= overflow[dtype] then
        return got == (expected > 0 and math.huge or -math.huge)
    elseif not is_finite(expected) then
        return got == expected
    end
    return math.abs(got - expected) <= tolerance(dtype, expected, scale, options)
end

local function largest(list)
    local most = 0
    for _, v in ipairs(list) do
        if type(v) == "number" and is_finite(v) then
            most = math.max(most, math.abs(v))
        end
    end
    return most
end

--- Whether elements of a dtype are compared within a tolerance.
function compare.is_inexact(dtype)
    return dtype:find("float", 1, true) ~= nil or dtype:find("complex", 1, true) ~= nil
end

--- The elements of a tensor in row-major order; of a complex one real and imaginary parts by turns.
function compare.flat(t)
    if t:numel() == 0 then
        return {}
    end
    local row = t:detach():reshape({t:numel()})
    return (t:is_complex() and tocha.view_as_real(row):reshape(-1) or row):tolist()
end

local function show(v)
    return type(v) == "number" and ("%.17g"):format(v) or tostring(v)
end

--- nil if the elements got (of dtype) agree with expected, else a text naming the first that do not.
function compare.elements(got, expected, dtype, options)
    if #got ~= #expected then
        return ("%d elements, expected %d"):format(#got, #expected)
    end
    local is_float = compare.is_inexact(dtype)
    local scale = is_float and largest(expected) or 0
    local bad, first = 0, nil
    for i, e in ipairs(expected) do
        local g = got[i]
        local same
        if is_float then
            same = float_agrees(g, e, dtype, scale, options)
        else
            same = g == e
        end
        if not same then
            bad = bad + 1
            first = first or ("element %d is %s, expected %s"):format(i, show(g), show(e))
        end
    end
    return bad > 0 and ("%s (%d of %d differ)"):format(first, bad, #expected) or nil
end

--- nil if two tensors have the same shape, dtype and bits (nan equals nan), else a text.
function compare.same(a, b)
    if tostring(a.shape) ~= tostring(b.shape) or a.dtype ~= b.dtype then
        return ("%s %s, expected %s %s"):format(a.dtype, a.shape, b.dtype, b.shape)
    end
    local x, y = compare.flat(a), compare.flat(b)
    for i = 1, #y do
        if x[i] ~= y[i] and not (x[i] ~= x[i] and y[i] ~= y[i]) then
            return ("element %d is %s, expected exactly %s"):format(i, show(x[i]), show(y[i]))
        end
    end
    return nil
end

--- nil if two float tensors of one shape agree within their dtype's precision, else a text.
function compare.close(a, b, options)
    if tostring(a.shape) ~= tostring(b.shape) or a.dtype ~= b.dtype then
        return ("%s %s, expected %s %s"):format(a.dtype, a.shape, b.dtype, b.shape)
    end
    return compare.elements(compare.flat(a), compare.flat(b), b.dtype, options or {})
end

return compare
