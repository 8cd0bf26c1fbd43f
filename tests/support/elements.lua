--- Tensors compared element by element, whatever their shape, for the elementwise specs.

local tocha = require "tocha"

local elements = {}

elements.ints = {"uint8", "int8", "int16", "int32", "int64"}
elements.floats = {"float16", "bfloat16", "float32", "float64"}
elements.all = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"}

local function flatten(value, list)
    if type(value) == "table" then
        for _, v in ipairs(value) do
            flatten(v, list)
        end
    else
        list[#list + 1] = value
    end
    return list
end

--- The elements of a tensor in row-major order, as a list.
function elements.of(t)
    return flatten(t:tolist(), {})
end

local function same_number(a, b)
    return a == b or (a ~= a and b ~= b)
end

local function compare(expected, t, hint, matches)
    local got = elements.of(t)
    if #expected ~= #got then
        error(("%s: expected %d elements, got %d"):format(hint or "", #expected, #got), 3)
    end
    for i = 1, #expected do
        if not matches(expected[i], got[i]) then
            error(("%s: element %d: expected %s, got %s"):format(hint or "", i, expected[i], got[i]), 3)
        end
    end
end

--- Asserts that t holds exactly the list expected; a NaN equals a NaN.
function elements.equal(expected, t, hint)
    compare(expected, t, hint, same_number)
end

--- Asserts that t holds the list expected up to a relative tolerance.
function elements.near(expected, t, tolerance, hint)
    compare(expected, t, hint, function(a, b)
        return same_number(a, b) or math.abs(a - b) <= tolerance * math.max(math.abs(a), 1e-30)
    end)
end

--- A tensor of that dtype from a nested table or a number.
function elements.tensor(list, dtype)
    return tocha.tensor(list, {dtype = dtype})
end

--- n numbers from low to high that follow no pattern, as the dtype (float64) rounds them.
function elements.numbers(n, low, high, dtype)
    local list, x = {}, 0.5
    for i = 1, n do
        x = (x * 997.13 + 0.377) % 1
        list[i] = low + (high - low) * x
    end
    return elements.tensor(list, dtype or "float64")
end

--- The list of fn(x) for each x of a list.
function elements.map(fn, list)
    local result = {}
    for i, x in ipairs(list) do
        result[i] = fn(x)
    end
    return result
end

--- The same 2-dim values in three layouts, by name.
function elements.layouts(x)
    local rows, columns = x:size(1), x:size(2)
    local wide = tocha.zeros(rows, 2 * columns, {dtype = x.dtype})
    local strided = wide:slice(2, 1, -1, 2)
    strided:copy_(x)
    return {contiguous = x, transposed = x:t():contiguous():t(), strided = strided}
end

return elements
