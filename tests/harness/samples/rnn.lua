--- Samples of recurrent networks.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local function small(...)
    return random {low = -1, high = 1, ...}
end

local function with(list, fields)
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local gates = {tanh = 1, relu = 1, lstm = 4, gru = 3}
local modes = {"tanh", "relu", "lstm", "gru"}

local function sequences()
    local list = {torch = "rnn_sequence(gates, weight, bias, h0, c0, mode, reverse)", rtol = 4e-6}
    for i, mode in ipairs(modes) do
        local k = gates[mode]
        for j, reverse in ipairs {false, true} do
            list[#list + 1] = {{gates = small(3, 2, k * 2), weight = small(k * 2, 2), h0 = small(2, 2),
                bias = (i + j) % 2 == 0 and small(k * 2) or nil, c0 = mode == "lstm" and small(2, 2) or nil,
                mode = mode, reverse = reverse}}
        end
        list[#list + 1] = {{gates = small(4, 19, k * 3), weight = small(k * 3, 3), h0 = small(19, 3),
            c0 = mode == "lstm" and small(19, 3) or nil, mode = mode}, grad = false}
    end
    return with(list, table.move({
        {{gates = small(2, 0, 3), weight = small(3, 3), h0 = small(0, 3), mode = "tanh"}},
        {{gates = small(), weight = small(3, 3), h0 = small(2, 3), mode = "tanh"},
            error = "gates must be %(T, N, k %* H%)"},
        {{gates = small(2, 2, 3), weight = small(3, 3), h0 = small(2, 3), mode = "elu"}, error = "mode must be .*elu"},
        {{gates = small(2, 2, 3), weight = small(3, 2), h0 = small(2, 2), mode = "tanh"},
            error = "gates must have shape 2x2x2, got 2x2x3$"},
        {{gates = small(2, 2, 4), weight = small(4, 1), h0 = small(2, 1), mode = "lstm"},
            error = "c0 must be given for lstm and for nothing else$"},
    }, 1, 5, #list + 1, list))
end

--- The gradients are made step by step of other ops where they are to have gradients themselves.
local function fixed(...)
    return random {low = -1, high = 1, grad = false, ...}
end

local function fixed_share(...)
    return random {low = 0.125, high = 0.875, grad = false, ...}
end

local function backwards()
    local list = {
        torch = "rnn_back(grad, cells_grad, activations_grad, weight, h0, c0, output, cells, activations, mode, " ..
            "reverse)",
        rtol = 4e-6,
    }
    for _, mode in ipairs(modes) do
        local k, kept, cells = gates[mode], gates[mode] > 1 and 8 or 0, mode == "lstm" and 2 or 0
        for _, reverse in ipairs {false, true} do
            list[#list + 1] = {{grad = fixed(3, 2, 2), weight = fixed(k * 2, 2), h0 = fixed(2, 2),
                c0 = mode == "lstm" and fixed(2, 2) or nil, output = fixed(3, 2, 2), cells = fixed(3, 2, cells),
                activations = fixed_share(3, 2, kept), mode = mode, reverse = reverse,
                cells_grad = mode == "lstm" and reverse and fixed(3, 2, 2) or nil,
                activations_grad = reverse and fixed(3, 2, kept) or nil}}
        end
    end
    return with(list, table.move({
        {{grad = fixed(2, 0, 3), weight = fixed(3, 3), h0 = fixed(0, 3), output = fixed(2, 0, 3), cells = fixed(2, 0,
            0),
            activations = fixed(2, 0, 0), mode = "tanh"}},
        {{grad = fixed(), weight = fixed(3, 3), h0 = fixed(2, 3), output = fixed(2, 2, 3), cells = fixed(2, 2, 0),
            activations = fixed(2, 2, 0), mode = "tanh"}, error = "grad must be %(T, N, H%), got shape scalar$"},
        {{grad = fixed(2, 2, 3), weight = fixed(3, 3), h0 = fixed(2, 3), output = fixed(2, 2, 3), cells = fixed(2, 2,
            1),
            activations = fixed(2, 2, 0), mode = "tanh"}, error = "cells must have shape 2x2x0, got 2x2x1$"},
    }, 1, 3, #list + 1, list))
end

--- The parameters of a network in PyTorch's order.
local function params(k, input, h, layers, directions, biases)
    local list = {}
    for layer = 1, layers do
        for _ = 1, directions do
            list[#list + 1] = small(k * h, layer == 1 and input or directions * h)
            list[#list + 1] = small(k * h, h)
            if biases then
                list[#list + 1] = small(k * h)
                list[#list + 1] = small(k * h)
            end
        end
    end
    return list
end

--- Samples of a whole network; two: it has two states.
--- Where a library computes them as a whole, half types are rounded at each step.
local step_ulps = (os.getenv("TOCHA_DEVICE") or "cpu") ~= "cpu" and 4 or nil

local function networks(name, k, two)
    local function states(...)
        return two and {small(...), small(...)} or small(...)
    end
    local call = ("torch.%s(input, %s, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)")
    local list = {
        torch = call:format(name, two and "tuple(hx)" or "hx"),
        dtypes = "float",
        rtol = 4e-6,
        ulps = step_ulps,
        {{input = small(3, 2, 2), hx = states(1, 2, 3), params = params(k, 2, 3, 1, 1, true)}},
        {{input = small(3, 2, 2), hx = states(4, 2, 2), params = params(k, 2, 2, 2, 2, true), num_layers = 2,
            bidirectional = true}, second = false},
        {{input = small(2, 3, 2), hx = states(1, 2, 2), params = params(k, 2, 2, 1, 1, false), has_biases = false,
            batch_first = true}},
        {{input = small(3, 2), hx = states(1, 2), params = params(k, 2, 2, 1, 1, true)},
            torch = ("single(torch.%s, input, hx, params)"):format(name)},
        {{input = small(3, 0, 2), hx = states(1, 0, 2), params = params(k, 2, 2, 1, 1, true)}, torch =
            two and "input, hx[0], hx[1]" or "input, hx"},
        {{input = small(), hx = states(1, 2), params = params(k, 2, 2, 1, 1, true)},
            error = "input must be %(T, N, I%)"},
        {{input = small(0, 2, 2), hx = states(1, 2, 2), params = params(k, 2, 2, 1, 1, true)},
            error = "input must have at least one step, got shape 0x2x2$"},
        {{input = small(3, 2, 2), hx = states(1, 2, 2), params = params(k, 2, 2, 1, 1, true), num_layers = 2},
            error = "params must have 4 tensors a layer and direction, 8 in all, got 4$"},
        {{input = small(3, 2, 2), hx = states(2, 2, 2), params = params(k, 2, 2, 1, 1, true)},
            error = "the state must have shape 1x2x2, got 2x2x2$"},
        {{input = small(3, 2, 3), hx = states(1, 2, 2), params = params(k, 2, 2, 1, 1, true)},
            error = ("w_ih must have shape %dx3, got %dx2$"):format(2 * k, 2 * k)},
    }
    return list
end

--- The parameters of an lstm whose states are projected.
local function projected(input, h, p, layers, directions)
    local list = {}
    for layer = 1, layers do
        for _ = 1, directions do
            list[#list + 1] = small(4 * h, layer == 1 and input or directions * p)
            list[#list + 1] = small(4 * h, p)
            list[#list + 1] = small(4 * h)
            list[#list + 1] = small(4 * h)
            list[#list + 1] = small(p, h)
        end
    end
    return list
end

--- Samples of networks as a whole, whose values those of lstm and the like stand for.
local function wholes()
    local list = {reference = false, no_stored_gradient = true}
    for _, mode in ipairs(modes) do
        local k = gates[mode]
        list[#list + 1] = {{input = small(3, 2, 2), h0 = small(1, 2, 3), c0 = mode == "lstm" and small(1, 2, 3) or nil,
            params = params(k, 2, 3, 1, 1, true), mode = mode, train = true}, shape = "3x2x3"}
        list[#list + 1] = {{input = small(2, 3, 2), h0 = small(4, 3, 2), c0 = mode == "lstm" and small(4, 3, 2) or nil,
            params = params(k, 2, 2, 2, 2, false), has_biases = false, num_layers = 2, bidirectional = true,
            mode = mode, train = true}, shape = "2x3x4", second = mode == "gru"}
    end
    local one = params(1, 2, 3, 1, 1, true)
    return with(list, table.move({
        {{input = small(), h0 = small(1, 2, 3), params = one, mode = "tanh"}, error = "input must be %(T, N, I%)"},
        {{input = small(3, 2, 2), h0 = small(1, 2, 3), params = one, mode = "elu"}, error = "mode must be .*elu"},
        {{input = small(3, 2, 2), h0 = small(1, 2, 3), params = one, mode = "lstm"},
            error = "c0 must be given for lstm and for nothing else$"},
        {{input = small(3, 2, 2), h0 = small(2, 2, 3), params = one, mode = "tanh"},
            error = "h0 must have shape 1x2x3, got 2x2x3$"},
        {{input = small(3, 2, 1), h0 = small(1, 2, 3), params = one, mode = "tanh"},
            error = "params must have shape 3x1, got 3x2$"},
        {{input = small(3, 2, 2), h0 = small(1, 2, 3), params = one, num_layers = 2, mode = "tanh"},
            error = "params must have 4 tensors for each of num_layers and directions, got 4 tensors for 2 layers$"},
        {{input = small(3, 0, 2), h0 = small(1, 0, 3), params = one, mode = "tanh"},
            error = "the library of device cuda:0 does not take this network"},
    }, 1, 7, #list + 1, list))
end

local function with_projections(list)
    local more = {
        {{input = small(3, 2, 2), hx = {small(1, 2, 2), small(1, 2, 3)}, params = projected(2, 3, 2, 1, 1)}},
        {{input = small(3, 2, 2), hx = {small(4, 2, 1), small(4, 2, 2)}, params = projected(2, 2, 1, 2, 2),
            num_layers = 2, bidirectional = true}, second = false},
        {{input = small(3, 2, 2), hx = {small(1, 2, 2), small(1, 2, 3)}, params = params(4, 2, 3, 1, 1, true)},
            error = "params must have 5 tensors a layer and direction, 5 in all, got 4$"},
        {{input = small(3, 2, 2), hx = {small(1, 2, 2), small(1, 2, 3)}, params = projected(2, 3, 3, 1, 1)},
            error = "w_hh must have shape 12x2, got 12x3$"},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

local function counts(...)
    return literal({...}, {dtype = "int64", grad = false})
end

--- Samples over packed sequences.
local function packed(name, k, two)
    local function states(...)
        return two and {small(...), small(...)} or small(...)
    end
    local call = "torch.%s(data, batch_sizes, %s, params, has_biases, num_layers, dropout, train, bidirectional)"
    local text = "batch_sizes must be positive and not grow, got "
    local one = params(k, 2, 2, 1, 1, true)
    local list = {
        torch = call:format(name, two and "tuple(hx)" or "hx"),
        dtypes = "float",
        rtol = 4e-6,
        {{data = small(6, 2), batch_sizes = counts(3, 2, 1), hx = states(1, 3, 3),
            params = params(k, 2, 3, 1, 1, true)}},
        {{data = small(6, 2), batch_sizes = counts(2, 2, 1, 1), hx = states(4, 2, 2),
            params = params(k, 2, 2, 2, 2, true), num_layers = 2, bidirectional = true}, second = false},
        {{data = small(4, 2), batch_sizes = counts(2, 2), hx = states(1, 2, 2), params = params(k, 2, 2, 1, 1, false),
            has_biases = false}, second = false},
        {{data = small(3, 0), batch_sizes = counts(2, 1), hx = states(1, 2, 2), params = params(k, 0, 2, 1, 1, true)},
            second = false, covers = "empty"},
        {{data = small(4, 2), batch_sizes = counts(2, 3), hx = states(1, 2, 2), params = one}, error = text .. 3},
        {{data = small(4, 2), batch_sizes = counts(4, 0), hx = states(1, 2, 2), params = one}, error = text .. 0},
        {{data = small(4, 2), batch_sizes = counts(2, 1), hx = states(1, 2, 2), params = one},
            error = "batch_sizes add up to 3, but the data has 4 rows$"},
        {{data = small(4, 2), batch_sizes = counts(3, 2), hx = states(1, 2, 2), params = one},
            error = "batch_sizes add up to more than the 4 rows of the data$"},
        {{data = small(), batch_sizes = counts(1), hx = states(1, 1, 2), params = one}, covers = "scalar",
            error = "data must have one row for each step of each sequence, got a scalar$"},
        {{data = small(4, 2), batch_sizes = counts(2, 2), hx = states(1, 3, 2), params = one},
            error = "the state must have shape 1x2x2, got 1x3x2$"},
    }
    -- Sizes that differ do not stay what they are when the first is repeated.
    for _, i in ipairs {1, 2, 4} do
        list[i].layouts = "sliced"
    end
    return list
end

local function cells(name, k, two)
    local function state(...)
        return two and {small(...), small(...)} or small(...)
    end
    local call = ("torch.%s(input, %s, w_ih, w_hh, b_ih, b_hh)"):format(name, two and "tuple(hx)" or "hx")
    return {
        torch = call,
        dtypes = "float",
        rtol = 4e-6,
        {{input = small(3, 2), hx = state(3, 4), w_ih = small(k * 4, 2), w_hh = small(k * 4, 4), b_ih = small(k * 4),
            b_hh = small(k * 4)}},
        {{input = small(3, 2), hx = state(3, 2), w_ih = small(k * 2, 2), w_hh = small(k * 2, 2)}},
        {{input = small(2), hx = state(3), w_ih = small(k * 3, 2), w_hh = small(k * 3, 3)},
            torch = ("single_cell(torch.%s, input, hx, w_ih, w_hh)"):format(name)},
        {{input = small(0, 2), hx = state(0, 3), w_ih = small(k * 3, 2), w_hh = small(k * 3, 3)},
            torch = two and "hx[0], hx[1]" or "hx"},
        {{input = small(), hx = state(), w_ih = small(k * 3, 2), w_hh = small(k * 3, 3)},
            error = "input and state must be"},
        {{input = small(3, 2), hx = state(2, 3), w_ih = small(k * 3, 2), w_hh = small(k * 3, 3)},
            error = "the state must have shape 3x3, got 2x3$"},
    }
end

return {
    rnn_sequence = sequences(),
    rnn_sequence_backward = backwards(),
    rnn_network = wholes(),
    lstm = with_projections(networks("lstm", 4, true)),
    lstm__packed = packed("lstm", 4, true),
    gru__packed = packed("gru", 3),
    rnn_tanh__packed = packed("rnn_tanh", 1),
    rnn_relu__packed = packed("rnn_relu", 1),
    gru = networks("gru", 3),
    rnn_tanh = networks("rnn_tanh", 1),
    rnn_relu = networks("rnn_relu", 1),
    lstm_cell = cells("lstm_cell", 4, true),
    gru_cell = cells("gru_cell", 3),
    rnn_tanh_cell = cells("rnn_tanh_cell", 1),
    rnn_relu_cell = cells("rnn_relu_cell", 1),
}
