--- Samples that a whole class of operators shares.

local values = require "tests.harness.values"

local random, literal, number = values.random, values.literal, values.number

local common = {}

local nan, inf = 0 / 0, math.huge

local function append(list, extra)
    for _, sample in ipairs(extra or {}) do
        list[#list + 1] = sample
    end
    for key, value in pairs(extra or {}) do
        if type(key) == "string" and list[key] == nil then
            list[key] = value
        end
    end
    return list
end

local function shaped(range, ...)
    local options = {...}
    for key, value in pairs(range) do
        options[key] = value
    end
    return random(options)
end

--- Samples of an elementwise op with one tensor. range: the domain, as for values.random; extra: more samples and
--- the entry's own fields.
function common.unary(range, extra)
    range = range or {}
    return append({
        {{input = shaped(range, 2, 3)}},
        {{input = shaped(range)}},
        {{input = shaped(range, 0)}},
        {{input = shaped(range, 2, 0, 3)}},
        {{input = shaped(range, 67)}},
        {{input = shaped(range, 2, 3, 1, 5)}},
        {{input = literal {nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.5}}, dtypes = "float", grad = false},
    }, extra)
end

--- The same for bits and other integers.
function common.unary_bits(extra)
    return append({
        {{input = random {2, 3}}},
        {{input = random {}}},
        {{input = random {0}}},
        {{input = random {67}}},
    }, extra)
end

--- Samples of an elementwise op with two tensors that broadcast; a and b: their domains.
function common.binary(a, b, extra)
    a, b = a or {}, b or {}
    return append({
        {{input = shaped(a, 2, 3), other = shaped(b, 2, 3)}},
        {{input = shaped(a), other = shaped(b)}},
        {{input = shaped(a, 2, 1, 3), other = shaped(b, 4, 1)}},
        {{input = shaped(a), other = shaped(b, 2, 3)}},
        {{input = shaped(a, 2, 3), other = shaped(b)}},
        {{input = shaped(a, 0, 3), other = shaped(b, 1, 3)}},
        {{input = shaped(a, 0), other = shaped(b)}},
        {{input = shaped(a, 67), other = shaped(b, 67)}},
        {{input = shaped(a, 3, 4), other = shaped(b, 3, 1)}},
        {{input = shaped(a, 2, 3), other = shaped(b, 3, 2)}, error = "shapes? .*2x3.*3x2"},
    }, extra)
end

--- Numbers in place of one of the tensors: ints for every dtype, floats for float tensors.
function common.with_numbers(n, f)
    return {
        {{input = random {2, 3, low = 0.5, high = 3, ints = {1, 9}}, other = number(n)}},
        {{input = number(n), other = random {2, 3, low = 0.5, high = 3, ints = {1, 4}}}},
        {{input = random {5, low = 0.5, high = 3, ints = {1, 9}}, other = number(f)}, dtypes = "float"},
    }
end

local pairs_of_specials = {
    literal {nan, 1.0, nan, inf, inf, -inf, 0.0, -0.0, 2.5, -1.0},
    literal {1.0, nan, nan, inf, -inf, inf, -0.0, 0.0, 2.5, 1.0},
}

--- nan and inf against each other and numbers.
common.special_pairs = {
    {{input = pairs_of_specials[1], other = pairs_of_specials[2]}, dtypes = "float", grad = false},
}

--- Lists of samples joined.
function common.join(...)
    local all = {}
    for _, list in ipairs {...} do
        append(all, list)
    end
    return all
end

--- Samples of a reduction: all elements, one dim, several, keepdim, empty and 0-dim. range: the domain.
function common.reduce(range, extra)
    range = range or {}
    return append({
        {{input = shaped(range, 2, 3)}},
        {{input = shaped(range, 2, 3), dim = 1}},
        {{input = shaped(range, 2, 3), dim = -1, keepdim = true}},
        {{input = shaped(range, 2, 3, 4), dim = {1, 3}}},
        {{input = shaped(range, 2, 3, 4), dim = {2}, keepdim = true}},
        {{input = shaped(range, 2, 3, 4), dim = {-1, 1, 2}, keepdim = true}},
        {{input = shaped(range), dim = 1}},
        {{input = shaped(range)}},
        {{input = shaped(range, 3, 0), dim = 1}},
        {{input = shaped(range, 70)}},
        {{input = shaped(range, 5, 19), dim = 1}},
        {{input = shaped(range, 5, 19), dim = 2}},
        {{input = shaped(range, 2, 3), dim = 3}, error = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 3$"},
        {{input = shaped(range, 2, 3), dim = 0}, error = "dim must be an integer in %[%-2, 2%] %(2 dims%), got 0$"},
        {{input = shaped(range, 2, 3), dim = {1, -2}}, error = "dim names dim 1 twice$"},
    }, extra)
end

return common
