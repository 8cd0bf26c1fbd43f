--- Samples of embeddings with bounded rows, of bags of rows and of dropout, which draws no random
--- numbers here.

local values = require "tests.harness.values"

local random, index, positions = values.random, values.index, values.positions

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function fixed(...)
    return random {low = -2, high = 2, grad = false, ...}
end

local function positive(...)
    return random {low = 0.25, high = 2, ...}
end

--- p decides; shapes: one that is taken and one that is not.
local function dropouts(name, good, bad, text)
    return {
        dtypes = "float",
        torch = ("F.%s(input, p, training)"):format(name),
        {{input = small(table.unpack(good)), p = 0.5, training = false}},
        {{input = small(table.unpack(good)), p = 0.0, training = true}},
        {{input = small(table.unpack(good)), p = 1.0, training = true}, torch = "input * 0"},
        {{input = small(0, table.unpack(good, 2)), p = 0.25, training = true}, torch = "input * 0"},
        {{input = small(table.unpack(good)), p = 1.5, training = true}, error = "p must be in %[0, 1%], got 1%.5$"},
        {{input = small(table.unpack(bad)), p = 0.5}, error = text},
        {{input = small(), p = 0.5, training = true}, error = text},
    }
end

local bag = "F.embedding_bag(wrap(input, weight, 0), weight, None if offsets is None else offsets - 1, " ..
    "mode=mode, per_sample_weights=per_sample_weights, include_last_offset=include_last_offset, " ..
    "padding_idx=padding(padding_idx))"

local function complex_too(list)
    list.dtypes = "float complex"
    return list
end

return {
    scale_grad = {
        torch = "input * scale.detach() + (input * (1 - scale)).detach()",
        {{input = small(2, 3), scale = random {2, 3, low = 1, high = 1, grad = false}}},
        {{input = small(), scale = random {low = 1, high = 1, grad = false}}},
        {{input = small(0), scale = fixed(0)}},
        {{input = small(2), scale = fixed(3)}, error = "scale must have input's shape 2, got 3$"},
    },
    embedding__scaled = {
        dtypes = "float",
        torch = "F.embedding(wrap(input, weight, 0), weight.detach().clone().requires_grad_(False), " ..
            "padding(padding_idx), max_norm, norm_type)",
        {{input = positions {2, 1, 2}, weight = fixed(4, 3), max_norm = 100}, layouts = "sliced",
            torch = "weight[input - 1]"},
        {{input = positions {2, 1, 2}, weight = small(4, 3), scale_grad_by_freq = true}, differences = false,
            torch = "F.embedding(input - 1, weight, scale_grad_by_freq=True)", second = false},
        {{input = positions {2, 1, 3}, weight = small(4, 3), scale_grad_by_freq = true},
            torch = "F.embedding(input - 1, weight, scale_grad_by_freq=True)"},
        {{input = positions(1), weight = fixed(4, 3), max_norm = 100}, layouts = "sliced", torch = "weight[input - 1]"},
        {{input = index(4, {0}), weight = fixed(4, 3), max_norm = 1}, torch = "weight[:0]"},
        {{input = positions {5}, weight = fixed(4, 3), max_norm = 1}, error = "5"},
        {{input = positions {1}, weight = fixed(4), max_norm = 1}, error = "weight must be a matrix, got shape 4$"},
    },
    embedding_bag = {
        dtypes = "float",
        torch = bag,
        {{input = index(4, {2, 3}), weight = small(4, 2)}},
        {{input = index(4, {2, 3}), weight = small(4, 2), mode = "sum", per_sample_weights = positive(2, 3)}},
        {{input = index(4, {2, 3}), weight = random {4, 2, distinct = true, ints = {-50, 50}}, mode = "max"},
            differences = false, second = false},
        {{input = index(4, {5}), weight = small(4, 2), offsets = positions {1, 3, 3}}},
        {{input = index(4, {5}), weight = small(4, 2), offsets = positions {1, 3, 6}, mode = "sum",
            include_last_offset = true}, layouts = "sliced"},
        {{input = positions {{1, 2, 2}, {2, 2, 2}}, weight = small(4, 2), padding_idx = 2}},
        {{input = positions {{1, 2, 2}, {2, 2, 2}}, weight = small(4, 2), padding_idx = 2, mode = "max"},
            second = false,
            differences = false},
        {{input = index(4, {0, 3}), weight = small(4, 2)}, torch = "weight[:0]"},
        {{input = index(4, {0}), weight = small(4, 2), offsets = positions {1, 1}}},
        {{input = positions(1), weight = small(4, 2)}, error = "input must be %(B, L%) without offsets or"},
        {{input = positions {1, 5}, weight = small(4, 2), offsets = positions {1}}, error = "5"},
        {{input = positions {1, 2}, weight = small(4, 2), offsets = positions {2}},
            error = "must begin with 1, not fall"},
        {{input = positions {1, 2}, weight = small(4, 2), offsets = positions {1, 4}}, error = "be at most 3, got 4"},
        {{input = positions {{1, 2}}, weight = small(4, 2), mode = "min"}, error = 'or "max", got "min"$'},
        {{input = positions {{1, 2}}, weight = small(4, 2), per_sample_weights = small(1, 2)},
            error = 'need mode "sum"'},
    },
    dropout1d = complex_too(dropouts("dropout1d", {2, 3, 4}, {2, 3, 4, 5}, "input must have 2 or 3 dims, got shape")),
    dropout2d = complex_too(dropouts("dropout2d", {2, 3, 4, 2}, {2, 3}, "input must have 3 or 4 dims, got shape")),
    dropout3d = complex_too(dropouts("dropout3d", {2, 3, 2, 2, 2}, {2, 3}, "input must have 4 or 5 dims, got shape")),
    alpha_dropout = (function()
        local list = dropouts("alpha_dropout", {2, 3}, {2}, "")
        list[6] = nil
        list[7] = {{input = small(), p = 0.5, training = false}}
        list[6] = {{input = small(2), p = -1.0}, error = "p must be in %[0, 1%], got %-1$"}
        return list
    end)(),
    feature_alpha_dropout = (function()
        local list = dropouts("feature_alpha_dropout", {2, 3, 4}, {2}, "input must be %(N, C, %*%), got shape")
        list[6] = nil
        list[6], list[7] = list[7], nil
        return list
    end)(),
}
