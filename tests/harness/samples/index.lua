--- Samples of reading and writing at positions.

local values = require "tests.harness.values"

local random, literal, number, mask = values.random, values.literal, values.number, values.mask
local index, positions = values.index, values.positions

--- Samples of the ops that write at positions along a dim; src: the name of the values' parameter.
local function scattered(src)
    local function at(input, dim, where, what)
        return {input = input, dim = dim, index = where, [src] = what}
    end
    return {
        {at(random {3, 4}, 1, positions {{1, 3, 2, 1}, {2, 1, 3, 3}}, random {2, 4})},
        {at(random {3, 4}, 2, positions {{4, 1}, {2, 3}, {-1, -4}}, random {3, 2})},
        {at(random {2, 3, 2}, -2, index(3, {2, 1, 2}), random {2, 1, 2})},
        {at(random {5}, 1, positions {2, 5}, random {4})},
        {at(random {5}, 1, positions({3, 1}, {dtype = "int32"}), random {2})},
        {at(random {}, 1, positions(1), random {})},
        {at(random {5}, 1, index(1, {0}), random {0})},
        {at(random {5}, 1, positions {1, 6}, random {2}), error = "6"},
        {at(random {5}, 1, positions {1, 0}, random {2}), error = "0"},
        {at(random {5}, 1, positions {1, -6}, random {2}), error = "%-6"},
        {at(random {5}, 1, positions {1, 2}, random {1}), error = "%a+: "},
    }
end

local function with(list, fields, extra)
    for _, sample in ipairs(extra or {}) do
        list[#list + 1] = sample
    end
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local whole = positions {2, 1, 2, -1}
local board = mask {3, 4}

local function picked()
    return {
        {{input = random {5}, indices = {whole}}},
        {{input = random {3, 4}, indices = {whole}}},
        {{input = random {3, 4}, indices = {false, whole}}},
        {{input = random {3, 4}, indices = {positions {{1, 3}, {2, 2}}, positions {4, 1}}}},
        {{input = random {2, 3, 4}, indices = {positions {1, 2, 2}, false, positions {4, 1, -1}}}},
        {{input = random {2, 3, 4}, indices = {false, positions {1, 3}, positions {{4}, {1}}}}},
        {{input = random {3}, indices = {positions(2)}}},
        {{input = random {3, 0}, indices = {positions {1, 3}}}},
        {{input = random {3, 2}, indices = {index(3, {0})}}},
        {{input = random {3}, indices = {positions({2, 1}, {dtype = "uint8"})}}},
        {{input = random {3}, indices = {positions {1, 4}}}, error = "4"},
        {{input = random {3}, indices = {positions {0}}}, error = "0"},
        {{input = random {3}, indices = {positions {1}, positions {1}}}, error = "index"},
        {{input = random {3, 3}, indices = {positions {1, 2}, positions {1, 2, 3}}}, error = "index"},
    }
end

local function put()
    return {
        {{input = random {5}, indices = {positions {2, 5}}, values = random {2}}},
        {{input = random {3, 4}, indices = {positions {3, 1}}, values = random {2, 4}}},
        {{input = random {3, 4}, indices = {positions {3, 1}}, values = random {4}}},
        {{input = random {3, 4}, indices = {false, positions {4, 2}}, values = random {}}},
        {{input = random {3, 4}, indices = {positions {1, 3}, positions {4, 1}}, values = random {2}}},
        {{input = random {5}, indices = {positions {2, 2, 5}}, values = random {3}, accumulate = true}},
        {{input = random {3, 4}, indices = {mask {3}}, values = random {}}},
        {{input = random {5}, indices = {index(5, {0})}, values = random {0}}},
        {{input = random {5}, indices = {positions {6}}, values = random {1}}, error = "6"},
        {{input = random {5}, indices = {positions {1, 2}}, values = random {3}}, error = "index_put: .*3"},
    }
end

return {
    gather = {
        torch = "torch.gather(input, dim, wrap(index, input, dim))",
        {{input = random {3, 4}, dim = 1, index = index(3, {2, 4})}},
        {{input = random {3, 4}, dim = 2, index = index(4, {3, 6})}},
        {{input = random {2, 3, 4}, dim = -2, index = index(3, {2, 5, 3})}},
        {{input = random {3, 4}, dim = 2, index = positions {{-1}, {1}}}},
        {{input = random {4}, dim = 1, index = positions({4, 1}, {dtype = "int32"})}},
        {{input = random {}, dim = 1, index = positions(1)}},
        {{input = random {4}, dim = 1, index = index(4, {0})}},
        {{input = random {3, 4}, dim = 1, index = positions {{4}}}, error = "gather: .*4"},
        {{input = random {3, 4}, dim = 1, index = positions {{0}}}, error = "gather: .*0"},
        {{input = random {3, 4}, dim = 1, index = positions {1}}, error = "gather: "},
        {{input = random {3, 4}, dim = 1, index = index(3, {2, 5})}, error = "gather: "},
        {{input = random {3}, dim = 1, index = literal({1.0}, {dtype = "float32", grad = false})},
            error = "gather: index must be an integer tensor, got float32"},
    },
    scatter = with(scattered("src"), {torch = "torch.scatter(input, dim, wrap(index, input, dim), cut(src, index))"}, {
        {{input = random {5}, dim = 1, index = positions {2, 4}, src = number(1)},
            torch = "torch.scatter(input, dim, wrap(index, input, dim), 1)"},
    }),
    scatter_add = with(scattered("src"), {
        torch = "torch.scatter_add(input, dim, wrap(index, input, dim), cut(src, index))",
    }),
    index_select = {
        torch = "torch.index_select(input, dim, wrap(index, input, dim))",
        {{input = random {3, 4}, dim = 1, index = positions {2, 2, -1}}},
        {{input = random {3, 4}, dim = 2, index = index(4, {6})}},
        {{input = random {2, 3, 4}, dim = -2, index = positions {3, 1}}},
        {{input = random {4}, dim = 1, index = positions(3)}},
        {{input = random {}, dim = 1, index = positions {1}}},
        {{input = random {3, 0}, dim = 1, index = positions {3, 1}}},
        {{input = random {3, 2}, dim = 1, index = index(1, {0})}},
        {{input = random {3, 4}, dim = 1, index = positions {4}}, error = "index_select: .*4"},
        {{input = random {3, 4}, dim = 1, index = positions {0}}, error = "index_select: .*0"},
        {{input = random {3, 4}, dim = 1, index = positions {{1}}}, error = "index_select: "},
    },
    index_add = {
        torch = "torch.index_add(input, dim, wrap(index, input, dim), source)",
        {{input = random {3, 4}, dim = 1, index = positions {2, 2}, source = random {2, 4}}},
        {{input = random {3, 4}, dim = 2, index = positions {4, 1, -2}, source = random {3, 3}}},
        {{input = random {5}, dim = 1, index = positions {1, 1, 1}, source = random {3}}},
        {{input = random {}, dim = 1, index = positions {1}, source = random {}},
            torch = "input + source.sum().to(input.dtype)", dtypes = "real"},
        {{input = random {3, 0}, dim = 1, index = positions {2}, source = random {1, 0}}},
        {{input = random {3}, dim = 1, index = positions {4}, source = random {1}}, error = "index_add: .*4"},
        {{input = random {3}, dim = 1, index = positions {1, 2}, source = random {3}}, error = "index_add: "},
    },
    nonzero_static = {
        torch = "nonzero_static(input, size, fill_value)",
        {{input = random {2, 3, ints = {-1, 1}, low = 0, high = 0.1}, size = 4}},
        {{input = random {3, 4, ints = {-1, 1}, low = 0, high = 0.1}, size = 3, fill_value = -7}},
        {{input = random {}, size = 1}},
        {{input = random {0, 3}, size = 2}},
        {{input = random {3}, size = 0}},
        {{input = random {3}, size = -1}, error = "nonzero_static: size.*%-1"},
    },
    nonzero = {
        dtypes = "all",
        no_grad = true,
        torch = "torch.nonzero(input) + 1",
        {{input = random {2, 3, ints = {-1, 1}, low = 0, high = 0.1}}},
        {{input = random {67, ints = {-1, 1}, low = 0, high = 0.1}}},
        {{input = random {2, 3, 2, ints = {0, 0}, low = 0, high = 0}}},
        {{input = random {}}},
        {{input = random {0, 3}}},
        {{input = literal {0 / 0, -0.0, 1e-5}}, dtypes = "wide"},
    },
    index_take = with(picked(), {torch = "input[pick(indices)]"}),
    index = with(picked(), {dtypes = "all", torch = "input[pick(indices)]"}, {
        {{input = random {3, 4}, indices = {board}}},
        {{input = random {3, 4}, indices = {mask {3}}}},
        {{input = random {3, 4}, indices = {false, mask {4}}}},
        {{input = random {2, 3, 4}, indices = {positions {1, 2}, literal({true, false, true}, {dtype = "bool"})}},
            layouts = "sliced"},
        {{input = random {2, 3, 4}, indices = {mask {2, 3}}}},
        {{input = random {}, indices = {literal(true, {dtype = "bool"})}},
            error = "a mask must have at least one dim"},
        {{input = random {3, 4}, indices = {mask {4}}}, error = "index.*mask.*4"},
    }),
    index_put = with(put(), {torch = "index_put(input, indices, values, accumulate)"}),
    masked_select = {
        dtypes = "all",
        {{input = random {2, 3}, mask = mask {2, 3}}},
        {{input = random {2, 3}, mask = mask {3}}},
        {{input = random {3}, mask = mask {2, 1}}},
        {{input = random {67}, mask = mask {67}}},
        {{input = random {}, mask = mask {}}},
        {{input = random {0, 3}, mask = mask {3}}},
        {{input = random {2, 3}, mask = mask {2}}, error = "masked_select: "},
        {{input = random {2}, mask = random {2, dtype = "int64"}},
            error = "masked_select: mask must be a bool tensor"},
    },
    embedding = {
        torch = "F.embedding(wrap(input, weight, 0), weight, padding(padding_idx))",
        {{input = index(4, {3}), weight = random {4, 2}}, dtypes = "float"},
        {{input = index(4, {2, 3}), weight = random {4, 3}, padding_idx = 2}, dtypes = "float",
            differences = false},
        {{input = index(4, {2, 3}), weight = random {4, 3}}, dtypes = "bool int",
            torch = "weight[wrap(input, weight, 0)]"},
        {{input = positions(3), weight = random {4, 2}}},
        {{input = index(4, {0}), weight = random {4, 2}}},
        {{input = positions({2, 1}, {dtype = "int16"}), weight = random {2, 2}}},
        {{input = positions {5}, weight = random {4, 2}}, error = "embedding: .*5"},
        {{input = positions {0}, weight = random {4, 2}}, error = "embedding: .*0"},
        {{input = positions {1}, weight = random {4}}, error = "embedding: weight"},
        {{input = positions {1}, weight = random {4, 2}, padding_idx = 5}, error = "embedding: padding_idx.*5"},
    },
    embedding_backward = {
        torch = "weight_rows(grad, wrap_size(input, num_embeddings), num_embeddings, padding(padding_idx))",
        {{grad = random {3, 2}, input = positions {2, 2, 1}, num_embeddings = 4}},
        {{grad = random {2, 2, 3}, input = positions {{1, 3}, {3, 2}}, num_embeddings = 3, padding_idx = 3}},
        {{grad = random {2}, input = positions(3), num_embeddings = 3}},
        {{grad = random {0, 2}, input = index(3, {0}), num_embeddings = 3}},
        {{grad = random {1, 2}, input = positions {4}, num_embeddings = 3}, error = "embedding_backward: .*4"},
    },
}
