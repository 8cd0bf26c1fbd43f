--- Samples of the losses.

local values = require "tests.harness.values"

local random, index, positions = values.random, values.index, values.positions

local function logits(...)
    return random {low = -2, high = -0.1, ...}
end

local weight = random {4, low = 0.25, high = 2, grad = false}

--- Samples with class labels; more: options for all of them.
local function classes(fields)
    local list = {
        {{input = logits(3, 4), target = index(4, {3})}},
        {{input = logits(3, 4), target = index(4, {3}), weight = weight}},
        {{input = logits(4), target = positions(2)}},
        {{input = logits(2, 4, 3), target = index(4, {2, 3})}},
        {{input = logits(2, 4, 2, 3), target = index(4, {2, 2, 3}), reduction = "sum", weight = weight}},
        {{input = logits(3, 4), target = index(4, {3}), reduction = "none", weight = weight}},
        {{input = logits(2, 4, 3), target = index(4, {2, 3}), reduction = "none"}},
        {{input = logits(3, 4), target = positions {2, -100, 4}}},
        {{input = logits(3, 4), target = positions {2, 1, 4}, ignore_index = 1, weight = weight}},
        {{input = logits(2, 4), target = positions {-100, -100}}, grad = false},
        {{input = logits(0, 4), target = index(4, {0}), reduction = "sum"}},
        {{input = logits(0, 4), target = index(4, {0})}, grad = false},
        {{input = logits(0, 4), target = index(4, {0}), reduction = "none"}},
        {{input = logits(3, 4), target = positions({1, 2, 3}, {dtype = "uint8"})}},
        {{input = logits(2, 4), target = positions {1, 5}}, error = "5"},
        {{input = logits(2, 4), target = positions {0, 1}}, error = "0"},
        {{input = logits(2, 4), target = positions {1, 2, 3}}, error = "2x4"},
        {{input = logits(2, 4), target = positions {1, 2}, weight = random {3, low = 0.5}}, error = "weight"},
        {{input = logits(2, 4), target = positions {1, 2}, reduction = "avg"}, error = "reduction.*avg"},
        {{input = logits(), target = positions(1)}, error = "input"},
    }
    for key, value in pairs(fields) do
        list[key] = value
    end
    return list
end

local function with(list, extra)
    return table.move(extra, 1, #extra, #list + 1, list)
end

--- Samples of losses of two tensors of one shape.
local function pairs_of(torch)
    return {
        dtypes = "float",
        torch = torch,
        ulps = 2,
        {{input = random {2, 3}, target = random {2, 3}}},
        {{input = random {2, 3}, target = random {2, 3}, reduction = "sum"}},
        {{input = random {67}, target = random {67}, reduction = "none"}},
        {{input = random {}, target = random {}}},
        {{input = random {0, 3}, target = random {0, 3}, reduction = "sum"}},
        {{input = random {0}, target = random {0}}, grad = false},
        {{input = random {2, 3}, target = random {3}}, error = "2x3"},
        {{input = random {2}, target = random {2}, reduction = "max"}, error = "reduction.*max"},
    }
end

local labels = "labels(target, ignore_index)"

return {
    nll_loss = classes {torch = "F.nll_loss(input, " .. labels ..
        ", weight, ignore_index=ignored(ignore_index), reduction=reduction)"},
    nll_loss_backward = {
        torch = "input_gradient(lambda x: F.nll_loss(x, " .. labels ..
            ", weight, ignore_index=ignored(ignore_index), reduction=reduction), size, grad)",
        {{grad = random {}, target = index(4, {3}), size = {3, 4}}},
        {{grad = random {}, target = index(4, {3}), weight = weight, size = {3, 4}}},
        {{grad = random {}, target = positions(2), size = {4}}},
        {{grad = random {3}, target = index(4, {3}), weight = weight, size = {3, 4}, reduction = "none"}},
        {{grad = random {2, 3}, target = index(4, {2, 3}), size = {2, 4, 3}, reduction = "none"}},
        {{grad = random {}, target = positions {2, -100, 4}, size = {3, 4}, reduction = "sum"}},
        {{grad = random {0}, target = index(4, {0}), size = {0, 4}, reduction = "none"}},
        {{grad = random {2}, target = positions {1, 2}, size = {2, 4}}, error = "nll_loss_backward: "},
        {{grad = random {}, target = positions {1, 5}, size = {2, 4}}, error = "5"},
    },
    cross_entropy = with(classes {
        dtypes = "float",
        ulps = 4,
        torch = "F.cross_entropy(input, target if target.is_floating_point() else " .. labels ..
            ", weight, ignore_index=ignored(ignore_index), reduction=reduction, label_smoothing=label_smoothing)",
    }, {
        {{input = logits(3, 4), target = index(4, {3}), label_smoothing = 0.1}},
        {{input = logits(3, 4), target = positions {1, -100, 2}, label_smoothing = 0.1, weight = weight}},
        {{input = logits(2, 4, 3), target = index(4, {2, 3}), label_smoothing = 0.25, reduction = "none"}},
        {{input = logits(3, 4), target = random {3, 4, low = 0, high = 1}}},
        {{input = logits(3, 4), target = random {3, 4, low = 0, high = 1}, weight = weight, label_smoothing = 0.1}},
        {{input = logits(2, 4, 3), target = random {2, 4, 3, low = 0, high = 1}, reduction = "none"}},
        {{input = logits(4), target = random {4, low = 0, high = 1}, reduction = "sum"}},
        {{input = logits(2, 4), target = positions {1, 2}, label_smoothing = 1.5}, error = "label_smoothing.*1%.5"},
    }),
    mse_loss = pairs_of("F.mse_loss(input, target, reduction=reduction)"),
    l1_loss = pairs_of("F.l1_loss(input, target, reduction=reduction)"),
}
