--- Arguments by position and by name, as PyTorch's constructors take them: Conv2d(1, 8, 3, {padding = 1}).

local core = require "tocha.core"
local raise = require "tocha.raise"

local options = {}

--- A value as an error text names it.
function options.describe(value)
    local kind = math.type(value) or type(value)
    if kind == "string" then
        return ("%q"):format(value)
    elseif kind == "integer" or kind == "float" or kind == "boolean" or kind == "nil" then
        return tostring(value)
    elseif core.is_tensor(value) then
        return ("a tensor of shape %s"):format(tostring(value.shape))
    elseif core._is_freed(value) then
        return "a tensor that was freed"
    end
    return "a " .. type(value)
end

--- value, which must be a tensor.
function options.tensor(name, what, value)
    if not core.is_tensor(value) then
        raise("%s: %s must be a tensor, got %s", name, what, options.describe(value))
    end
    return value
end

local function whole(value, least)
    local n = type(value) == "number" and math.tointeger(value)
    return n and n >= least and n or nil
end

--- A number, or a list of n.
local function several(value, n, least)
    if type(value) ~= "table" then
        return whole(value, least)
    end
    local list = {}
    for i = 1, n do
        list[i] = whole(value[i], least)
    end
    return #list == n and #value == n and list or nil
end

local function pair(value, least)
    return several(value, 2, least)
end

local function padding(n)
    return function(value)
        return (value == "same" or value == "valid") and value or several(value, n, 0)
    end
end

local function only(kind)
    return function(value)
        if type(value) == kind then
            return value
        end
    end
end

local dtypes = {float32 = true, float64 = true, float16 = true, bfloat16 = true}

--- Each kind: what error texts call it, and a function that returns the value in its final form, or nil.
local kinds = {
    count = {"a whole number from 1", function(v) return whole(v, 1) end},
    size = {"a whole number from 0", function(v) return whole(v, 0) end},
    integer = {"a whole number", function(v) return whole(v, math.mininteger) end},
    counts = {"a whole number from 1 or a list of two", function(v) return pair(v, 1) end},
    sizes = {"a whole number from 0 or a list of two", function(v) return pair(v, 0) end},
    counts1 = {"a whole number from 1 or a list of one", function(v) return several(v, 1, 1) end},
    sizes1 = {"a whole number from 0 or a list of one", function(v) return several(v, 1, 0) end},
    counts2 = {"a whole number from 1 or a list of two", function(v) return pair(v, 1) end},
    sizes2 = {"a whole number from 0 or a list of two", function(v) return pair(v, 0) end},
    counts3 = {"a whole number from 1 or a list of three", function(v) return several(v, 3, 1) end},
    sizes3 = {"a whole number from 0 or a list of three", function(v) return several(v, 3, 0) end},
    padding1 = {"a whole number from 0, a list of one, \"same\" or \"valid\"", padding(1)},
    padding2 = {"a whole number from 0 or a list of two, \"same\" or \"valid\"", padding(2)},
    padding3 = {"a whole number from 0, a list of three, \"same\" or \"valid\"", padding(3)},
    shape = {"a whole number from 1 or a list of them", function(v)
        local n = type(v) == "table" and #v or 1
        return n > 0 and several(v, n, 1) or nil
    end},
    number = {"a number", only "number"},
    positive = {"a number above 0", function(v) return type(v) == "number" and v > 0 and v or nil end},
    share = {"a number from 0 to 1", function(v) return type(v) == "number" and v >= 0 and v <= 1 and v or nil end},
    rate = {"a number from 0", function(v) return type(v) == "number" and v >= 0 and v or nil end},
    boolean = {"true or false", only "boolean"},
    string = {"a string", only "string"},
    table = {"a table", only "table"},
    any = {"given", function(v) return v end},
    tensor = {"a tensor", function(v) return core.is_tensor(v) and v or nil end},
    call = {"a function", only "function"},
    float_dtype = {"float32, float64, float16 or bfloat16", function(v) return dtypes[v] and v or nil end},
}

local function is_named(value)
    if type(value) ~= "table" or getmetatable(value) then
        return false
    end
    local key = next(value)
    return key == nil or type(key) == "string"
end

local function known_names(spec)
    local names = {}
    for i, entry in ipairs(spec) do
        names[i] = entry[1]
    end
    return table.concat(names, ", ")
end

local function check(who, entry, value)
    local kind = kinds[entry[2]]
    local result = kind[2](value)
    if result == nil then
        raise("%s: %s must be %s, got %s", who, entry[1], kind[1], options.describe(value))
    end
    return result
end

local function collect(who, spec, ...)
    local given, n = {...}, select("#", ...)
    local named = n > 0 and is_named(given[n]) and given[n] or {}
    local positional = n > 0 and named == given[n] and n - 1 or n
    if positional > #spec then
        raise("%s: takes at most %d arguments (%s), got %d", who, #spec, known_names(spec), positional)
    end
    local values = {}
    for i = 1, positional do
        values[spec[i][1]] = given[i]
    end
    return values, named
end

--- Reads the arguments ... of who ("Conv2d") after spec, a list of {name, kind, default}; an entry with
--- optional = true may be left out and is then nil, one without default must be given.
--- Returns a table of all values by name. Raises an error for unknown, missing and wrong ones.
function options.read(who, spec, ...)
    local values, named = collect(who, spec, ...)
    local known = {}
    for _, entry in ipairs(spec) do
        known[entry[1]] = true
    end
    for name, value in pairs(named) do
        if not known[name] then
            raise("%s: unknown option %s; known: %s", who, options.describe(name), known_names(spec))
        elseif values[name] ~= nil then
            raise("%s: %s is given twice, by position and by name", who, name)
        end
        values[name] = value
    end
    for _, entry in ipairs(spec) do
        local name, default = entry[1], entry[3]
        if values[name] ~= nil then
            values[name] = check(who, entry, values[name])
        elseif default ~= nil then
            values[name] = default
        elseif not entry.optional then
            raise("%s: %s is missing: %s", who, name, kinds[entry[2]][1])
        end
    end
    return values
end

--- The arguments ... of a function like an operator by name, unchecked: f{input = x, dim = 2}, x:f(3, {dim = 2}).
--- parameters: their names in order. Raises an error for too many and for unknown ones.
function options.arguments(name, parameters, ...)
    local given, n = {...}, select("#", ...)
    local by_name = type(given[n]) == "table" and not getmetatable(given[n]) and #given[n] == 0 and
        next(given[n]) ~= nil and given[n] or nil
    local values = {}
    for i = 1, by_name and n - 1 or n do
        if not parameters[i] then
            raise("%s: got %d arguments, expected at most %d", name, n, #parameters)
        end
        values[parameters[i]] = given[i]
    end
    for key, value in pairs(by_name or {}) do
        local known = false
        for _, parameter in ipairs(parameters) do
            known = known or parameter == key
        end
        if not known then
            raise("%s: unknown option %s; known: %s", name, options.describe(key), table.concat(parameters, ", "))
        end
        values[key] = value
    end
    return values
end

--- A list of sizes as a shape, and the number of its elements. Raises "who: ..." for what is none.
function options.shape(who, sizes)
    local count = 1
    for _, size in ipairs(type(sizes) == "table" and sizes or {sizes}) do
        if math.type(size) ~= "integer" or size < 0 then
            raise("%s: a shape must be a list of sizes, got %s in it", who, options.describe(size))
        end
        count = count * (size + 0.0)
    end
    if type(sizes) ~= "table" or #sizes > 8 or count > 2.0 ^ 60 then
        raise("%s: a shape must be a list of at most 8 sizes, and their product at most 2^60", who)
    end
    return core.empty(1):expand(sizes).shape, math.tointeger(count)
end

return options
