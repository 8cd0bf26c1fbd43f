--- Samples of further ways to write at positions.

local values = require "tests.harness.values"

local random, literal, number, mask = values.random, values.literal, values.number, values.mask
local index, positions = values.index, values.positions

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

--- Without repeats among the values, so that the largest and smallest are one element each where not said otherwise.
local function apart(options)
    options.distinct, options.ints = true, {1, 20}
    return random(options)
end

local function small(options)
    options.low, options.high, options.ints = 0.5, 2.5, {1, 3}
    return random(options)
end

local function copied()
    local function at(input, dim, where, source)
        return {input = input, dim = dim, index = where, source = source}
    end
    return {
        dtypes = "all",
        {at(random {3, 4}, 1, positions {3, 1}, random {2, 4})},
        {at(random {3, 4}, 2, positions {4, 1, -2}, random {3, 3})},
        {at(random {2, 3, 2}, -2, positions {2}, random {2, 1, 2})},
        {at(random {5}, 1, positions({2, 5}, {dtype = "int32"}), random {2})},
        {at(random {}, 1, positions {1}, random {}), torch = "source + 0 * input", dtypes = "float"},
        {at(random {3, 0}, 1, positions {2}, random {1, 0})},
        {at(random {3}, 1, index(3, {0}), random {0})},
        {at(random {3}, 1, positions {4}, random {1}), error = "index_copy: .*4"},
        {at(random {3}, 1, positions {0}, random {1}), error = "index_copy: .*0"},
        {at(random {3}, 1, positions {1, 2}, random {3}), error = "index_copy: "},
    }
end

local function reduced(kind, draw)
    local function at(input, dim, where, src, include_self)
        return {input = input, dim = dim, index = where, src = src, reduce = kind, include_self = include_self}
    end
    return {at(draw {3, 4}, 1, positions {{1, 3, 2, 1}, {2, 3, 3, 1}}, draw {2, 4})},
        {at(draw {3, 4}, 2, positions {{4, 1}, {2, -3}, {1, 1}}, draw {3, 3}, false)},
        {at(draw {2, 3, 2}, -2, index(3, {2, 1, 2}), draw {2, 1, 2}, true)},
        {at(draw {5}, 1, positions {2, 2, 2}, draw {4}, false)},
        {at(draw {5}, 1, index(1, {0}), draw {0})},
        {at(draw {}, 1, positions(1), draw {}), dtypes = "float", torch = ({sum = "input + src",
            prod = "input * src", mean = "(input + src) / 2", amax = "torch.maximum(input, src)",
            amin = "torch.minimum(input, src)"})[kind], layouts = false}
end

local function joined(kind, draw)
    local list = table.pack(reduced(kind, draw))
    for i = #list, 1, -1 do
        local sample = list[i]
        if sample[1].include_self == false then
            table.remove(list, i)
        else
            sample[1].include_self = nil
        end
    end
    return list
end

local function all_of(...)
    local all = {}
    for _, list in ipairs {...} do
        table.move(list, 1, #list, #all + 1, all)
    end
    return all
end

local nan = 0 / 0

local function row(kind, include_self)
    return {input = literal {2, 4, 6, 8}, dim = 1, index = positions {2, 2, 3},
        src = literal({nan, 5, 6}), reduce = kind, include_self = include_self}
end

local function entries(kind, draw)
    local function at(input, dim, where, source, include_self)
        return {input = input, dim = dim, index = where, source = source, reduce = kind, include_self = include_self}
    end
    return {
        {at(draw {3, 4}, 1, positions {3, 3}, draw {2, 4})},
        {at(draw {3, 4}, 2, positions {4, 1, 1}, draw {3, 3}, false)},
        {at(draw {5}, -1, positions {2, -1}, draw {2}, false)},
        {at(draw {3}, 1, index(3, {0}), draw {0})},
    }
end

local taken = "torch.take(input, wrap(index, input.reshape(-1), 0))"

return {
    index_copy = with(copied(), {torch = "torch.index_copy(input, dim, wrap(index, input, dim), source)"}),
    index_fill = {
        torch = "torch.index_fill(input, dim, wrap(index, input, dim), value)",
        {{input = random {3, 4}, dim = 1, index = positions {3, 1}, value = random {}}},
        {{input = random {3, 4}, dim = 2, index = positions {4, 4, -2}, value = random {}}},
        {{input = random {5}, dim = 1, index = positions {2}, value = number(1)}},
        {{input = random {}, dim = 1, index = positions {1}, value = random {}}},
        {{input = random {0, 3}, dim = 2, index = positions {2}, value = random {}}},
        {{input = random {3}, dim = 1, index = index(3, {0}), value = random {}}},
        {{input = random {3}, dim = 1, index = positions {4}, value = number(1)}, error = "index_fill: .*4"},
        {{input = random {3}, dim = 1, index = positions {1}, value = random {1}}, error = "index_fill: value must"},
    },
    scatter_reduce = with(all_of(
        {reduced("sum", random)}, {reduced("mean", random)}, {reduced("prod", small)}, {reduced("amax", apart)},
        {reduced("amin", apart)},
        {
            {row("amax"), dtypes = "float", grad = false},
            {row("amin", false), dtypes = "float", grad = false},
            {row("prod", false), dtypes = "float", grad = false},
        }), {
            torch = "torch.scatter_reduce(input, dim, wrap(index, input, dim), cut(src, index), reduce, " ..
                "include_self=include_self)",
            dtypes = "real", ulps = 3,
            {{input = random {3}, dim = 1, index = positions {1}, src = random {1}, reduce = "max"},
                error = "scatter_reduce: reduce must be .*got \"max\""},
            {{input = random {3}, dim = 1, index = positions {1, 4}, src = random {2}, reduce = "amax"},
                error = "scatter_reduce: index must be in %[1, 3%] or %[%-3, %-1%], got 4 at position 2"},
        }),
    scatter_join = with(all_of(joined("prod", small), joined("amax", apart), joined("amin", apart),
        {
            {{input = literal {2, 0, 3, 0}, dim = 1, index = positions {1, 1, 2, 4, 4},
                src = literal {0, 3, 5, 0, 2}, reduce = "prod"}},
            {{input = literal {2, 1, 3}, dim = 1, index = positions {1, 1, 2},
                src = literal {2, 1, 1}, reduce = "amax"}, grad2 = false},
        }), {
            torch = "torch.scatter_reduce(input, dim, wrap(index, input, dim), cut(src, index), reduce)", ulps = 3,
            {{input = random {3}, dim = 1, index = positions {1}, src = random {1}, reduce = "sum"},
                error = "scatter_join: reduce must be"},
        }),
    index_reduce = with(all_of(entries("prod", small), entries("mean", random), entries("amax", apart),
        entries("amin", apart)), {
            torch = "torch.index_reduce(input, dim, wrap(index, input, dim), source, reduce, " ..
                "include_self=include_self)",
            dtypes = "real", ulps = 3,
            {{input = random {}, dim = 1, index = positions {1}, source = random {}, reduce = "mean"},
                torch = "(input + source) / 2", dtypes = "float"},
            {{input = random {3}, dim = 1, index = positions {1, 2}, source = random {3}, reduce = "amax"},
                error = "index_reduce: for 2 positions along dim 1 source must have shape 2, got 3"},
            {{input = random {3}, dim = 1, index = positions {1}, source = random {1}, reduce = "sum"},
                error = "index_reduce: reduce must be"},
        }),
    scatter__reduce = {
        torch = "torch.scatter_reduce(input, dim, wrap(index, input, dim), cut(src, index), " ..
            "{'add': 'sum', 'multiply': 'prod'}[reduce])",
        dtypes = "real",
        {{input = random {3, 4}, dim = 1, index = positions {{1, 3, 2, 1}, {2, 1, 3, 3}}, src = random {2, 4},
            reduce = "add"}},
        {{input = small {5}, dim = 1, index = positions {2, 2, -1}, src = small {3}, reduce = "multiply"}},
        {{input = random {5}, dim = 1, index = positions {2, 2}, src = number(2), reduce = "add"},
            torch = "torch.scatter_add(input, 0, torch.tensor([1, 1]), torch.full((2,), 2, dtype=input.dtype))"},
        {{input = random {}, dim = 1, index = positions(1), src = random {}, reduce = "add"}, torch = "input + src"},
        {{input = random {3}, dim = 1, index = index(3, {0}), src = random {0}, reduce = "multiply"}},
        {{input = random {3}, dim = 1, index = positions {1}, src = random {1}, reduce = "amax"},
            error = "scatter: reduce must be \"add\" or \"multiply\""},
    },
    scatter__value = {
        torch = "torch.scatter(input, dim, wrap(index, input, dim), value)",
        dtypes = "all",
        {{input = random {3, 4}, dim = 1, index = positions {{1, 3}, {2, 1}}, value = 1}},
        {{input = random {}, dim = 1, index = positions(1), value = 0}, torch = "input * 0", dtypes = "real"},
        {{input = random {5}, dim = 1, index = index(5, {0}), value = 1}},
        {{input = random {3, 4}, dim = 1, index = positions {{1, 3}, {2, 1}}, value = values.complex(0.5, -2)},
            dtypes = "complex64"},
        {{input = random {5}, dim = 1, index = positions {2, 2}, value = 2, reduce = "multiply"}, dtypes = "real",
            torch = "torch.scatter_reduce(input, dim, torch.tensor([1, 1]), " ..
                "torch.full((2,), 2, dtype=input.dtype), 'prod')"},
        {{input = random {5}, dim = 1, index = positions {6}, value = 1}, error = "scatter: .*6"},
    },
    index_add__alpha = {
        torch = "torch.index_add(input, dim, wrap(index, input, dim), source, alpha=alpha)",
        dtypes = "number",
        {{input = random {3, 4}, dim = 1, index = positions {2, 2}, source = random {2, 4}, alpha = 3}},
        {{input = random {5}, dim = 1, index = positions {1, -1}, source = random {2}, alpha = 0.5},
            dtypes = "float complex"},
        {{input = random {5}, dim = 1, index = positions {1, -1}, source = random {2}, alpha = values.complex(0.5, -2)},
            dtypes = "complex", torch = "torch.index_add(input, dim, wrap(index, input, dim), alpha * source)"},
        {{input = random {}, dim = 1, index = positions {1}, source = random {}, alpha = 2},
            torch = "input + 2 * source"},
        {{input = random {3, 0}, dim = 1, index = positions {2}, source = random {1, 0}, alpha = 2}},
        {{input = random {3}, dim = 1, index = positions {1}, source = random {1}, alpha = 0.5}, dtypes = "int",
            error = "index_add: alpha must be an integer"},
    },
    take = {
        torch = taken,
        dtypes = "all",
        {{input = random {3, 4}, index = positions {{12, 1}, {-1, 5}}}},
        {{input = random {5}, index = positions({2, 5}, {dtype = "int32"})}},
        {{input = random {}, index = positions {1}}},
        {{input = random {5}, index = positions(4)}},
        {{input = random {5}, index = index(5, {0})}},
        {{input = random {5}, index = positions {6}}, error = "take: .*6"},
        {{input = random {5}, index = random {2, grad = false}}, dtypes = "float32",
            error = "take: index must be an integer tensor, got float32"},
    },
    put = {
        torch = "torch.put(input, wrap(index, input.reshape(-1), 0), source, accumulate)",
        dtypes = "all",
        {{input = random {3, 4}, index = positions {{12, 1}, {-2, 5}}, source = random {4}}},
        {{input = random {5}, index = positions {2, 2}, source = random {2}, accumulate = true}, dtypes = "real"},
        {{input = random {}, index = positions {1}, source = random {1}}},
        {{input = random {5}, index = index(5, {0}), source = random {0}}},
        {{input = random {5}, index = positions {6}, source = random {1}}, error = "put: .*6"},
        {{input = random {5}, index = positions {1}, source = random {2}}, error = "put: source must have an element"},
    },
    masked_scatter = {
        torch = "torch.masked_scatter(input, mask, source)",
        dtypes = "all",
        {{input = random {3, 4}, mask = mask {3, 4}, source = random {12}}},
        {{input = random {3, 4}, mask = mask {4}, source = random {4, 3}}},
        {{input = random {}, mask = literal(true, {dtype = "bool", grad = false}), source = random {1}}},
        {{input = random {0, 3}, mask = mask {0, 3}, source = random {0}}},
        {{input = random {2}, mask = literal({true, true}, {dtype = "bool", grad = false}), source = random {1}},
            error = "masked_scatter: mask is true for 2 elements, source has 1 only"},
        {{input = random {2}, mask = index(2, {2}), source = random {2}},
            error = "masked_scatter: mask must be a bool tensor, got int64"},
    },
}
