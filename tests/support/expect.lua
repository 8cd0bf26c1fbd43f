--- Assertions on tensors that several specs share.

local expect = {}

--- The error text of fn(...), which must fail.
function expect.message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert(not ok, "expected an error")
    return (text:gsub("^[^:]*:%d+: ", ""))
end

local function same(a, b, tolerance)
    if type(a) ~= "number" or type(b) ~= "number" then
        return a == b
    end
    return a == b or (a ~= a and b ~= b) or math.abs(a - b) <= tolerance * math.max(1, math.abs(a))
end

local function walk(expected, actual, tolerance, path)
    if type(expected) ~= "table" then
        assert(same(expected, actual, tolerance),
            ("at [%s]: expected %s, got %s"):format(path, expected, actual))
        return
    end
    assert(type(actual) == "table" and #expected == #actual,
        ("at [%s]: expected %d entries"):format(path, #expected))
    for i, v in ipairs(expected) do
        walk(v, actual[i], tolerance, path .. (path == "" and "" or ", ") .. i)
    end
end

--- Checks a tensor against a nested table (a number for a scalar), and its dtype where given.
function expect.values(expected, tensor, dtype, tolerance)
    if dtype then
        assert(tensor.dtype == dtype, ("expected %s, got %s"):format(dtype, tensor.dtype))
    end
    local actual = tensor:dim() == 0 and tensor:item() or tensor:tolist()
    walk(expected, actual, tolerance or 0, "")
end

return expect
