--- Samples of the losses.

local values = require "tests.harness.values"

local random, index, positions, literal = values.random, values.index, values.positions, values.literal

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

--- Samples of losses of two tensors of one shape: name(input, target, ..., reduction). input and target: functions
--- that make them; extra: more samples.
local function pairs_of(torch, input, target, extra)
    local list = {
        dtypes = "float",
        torch = torch,
        {{input = input(2, 3), target = target(2, 3)}},
        {{input = input(2, 3), target = target(2, 3), reduction = "sum"}},
        {{input = input(67), target = target(67), reduction = "none"}},
        {{input = input(), target = target()}},
        {{input = input(0, 3), target = target(0, 3), reduction = "sum"}},
        {{input = input(0), target = target(0)}, grad = false},
        {{input = input(2, 3), target = target(3)}, error = "2x3"},
        {{input = input(2, 1), target = target(2)},
            error = "give them one shape, as with target:reshape%(input%.shape%)$"},
        {{input = input(2), target = target(2), reduction = "max"}, error = "reduction.*max"},
    }
    return with(list, extra or {})
end

--- The same of losses that complex numbers have too.
local function fields_of(...)
    local list = pairs_of(...)
    list.dtypes = "float complex"
    return list
end

local function any(...)
    return random {...}
end

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function share(...)
    return random {low = 0.0625, high = 0.9375, ...}
end

local function positive(...)
    return random {low = 0.25, high = 3, ...}
end

local function fixed(...)
    return random {low = 0.25, high = 3, grad = false, ...}
end

--- 1 or -1.
local function signs(...)
    local spec = random {grad = false, low = -1, high = 1, step = 2, ...}
    spec.ints = {0, 1}
    return spec
end

--- Samples twice: in float32 and in float64, where one of the results is float64 in either.
local function in_each_dtype(list)
    for i = 1, #list do
        local sample, again = list[i], {}
        for key, value in pairs(sample) do
            again[key] = value
        end
        sample.dtypes, again.dtypes, again.grad, again.rtol64 = "float64", "float32", false, 2e-6
        list[#list + 1] = again
    end
    return list
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
    mse_loss = pairs_of("F.mse_loss(input, target, reduction=reduction, weight=weight)", any, any, {
        {{input = small(2, 3), target = small(2, 3), weight = positive(2, 3)}},
        {{input = small(2, 3), target = small(2, 3), weight = positive(2, 3), reduction = "sum"}},
    }),
    l1_loss = fields_of("F.l1_loss(input, target, reduction=reduction, weight=weight)", any, any, {
        {{input = small(2, 3), target = small(2, 3), weight = positive(2, 3)}},
        {{input = small(2, 3), target = small(2, 3), weight = positive(3)}, error = "weight has 3"},
    }),
    smooth_l1_loss = pairs_of("F.smooth_l1_loss(input, target, reduction=reduction, beta=beta)", small, small, {
        {{input = small(2, 3), target = small(2, 3), beta = 0.5}},
        {{input = small(2, 3), target = small(2, 3), beta = 0.0}},
        {{input = small(2, 3), target = small(2, 3), beta = -1.0}, error = "beta must not be negative, got %-1$"},
    }),
    huber_loss = pairs_of("F.huber_loss(input, target, reduction, delta, weight)", small, small, {
        {{input = small(2, 3), target = small(2, 3), delta = 0.5, weight = positive(2, 3)}},
        {{input = small(2, 3), target = small(2, 3), delta = 0.0}, error = "delta must be positive, got 0$"},
    }),
    kl_div = pairs_of("F.kl_div(input, target, reduction=reduction, log_target=log_target)", small, share, {
        {{input = small(2, 3), target = share(2, 3), reduction = "batchmean"}},
        {{input = small(2, 3), target = small(2, 3), log_target = true}},
        {{input = small(3), target = literal {0.0, 0.5, 1.0}, reduction = "none"}, grad = false},
    }),
    binary_cross_entropy = pairs_of("F.binary_cross_entropy(input, target, weight, reduction=reduction)", share,
        share, {
        {{input = share(2, 3), target = share(2, 3), weight = fixed(3)}},
        {{input = literal {0.0, 1.0, 0.0}, target = literal {0.0, 1.0, 1.0}, reduction = "none"}, grad = false},
        {{input = literal {0.5, 1.5}, target = literal {0.0, 1.0}}, error = "input must be in %[0, 1%]; for logits"},
    }),
    binary_cross_entropy_with_logits = pairs_of(
        "F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight)", small,
        share, {
        {{input = small(2, 3), target = share(2, 3), weight = fixed(2, 3), pos_weight = fixed(3)}},
        {{input = literal {0.0, 100.0, -100.0, 30.0}, target = literal {0.0, 1.0, 1.0, 0.0}, reduction = "none"}},
    }),
    poisson_nll_loss = pairs_of("F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=reduction)",
        small,
        positive, {
        {{input = small(2, 3), target = positive(2, 3), full = true}},
        {{input = positive(2, 3), target = positive(2, 3), log_input = false, eps = 0.01}},
    }),
    gaussian_nll_loss = {
        torch = "F.gaussian_nll_loss(input, target, var, full, eps, reduction)",
        dtypes = "float",
        {{input = small(2, 3), target = small(2, 3), var = positive(2, 3)}},
        {{input = small(2, 3), target = small(2, 3), var = positive(2, 1), full = true, reduction = "sum"}},
        {{input = small(2, 3), target = small(2, 3), var = positive(2), reduction = "none"}},
        {{input = small(3), target = small(3), var = literal {0.5, 0.0, 2.0}, eps = 0.25}, differences = false},
        {{input = small(0, 3), target = small(0, 3), var = positive(0, 3), reduction = "sum"}},
        {{input = small(), target = small(), var = positive()}},
        {{input = small(2, 3), target = small(2, 3), var = positive(3)}, error = "var must have input's shape 2x3"},
        {{input = small(2, 1), target = small(2), var = positive(2)}, error = "give them one shape"},
        {{input = small(2), target = small(2), var = positive(2), eps = 0.0}, error = "eps must be positive, got 0$"},
    },
    -- PyTorch's own has no gradient of complex numbers.
    soft_margin_loss = fields_of("(lambda t: t if reduction == 'none' else getattr(t, reduction)())" ..
        "(torch.log1p(torch.exp(-target * input)))", small, signs),
    hinge_embedding_loss = pairs_of("F.hinge_embedding_loss(input, target, margin, reduction=reduction)", small,
        signs, {
        {{input = small(2, 3), target = signs(2, 3), margin = 0.5}},
    }),
    multilabel_soft_margin_loss = {
        torch = "F.multilabel_soft_margin_loss(input, target, weight, reduction=reduction)",
        dtypes = "float",
        {{input = small(2, 3), target = share(2, 3)}},
        {{input = small(2, 3), target = share(2, 3), weight = positive(3), reduction = "none"}},
        {{input = small(3), target = share(3), reduction = "sum"}},
        {{input = small(0, 3), target = share(0, 3), reduction = "sum"}},
        {{input = small(), target = share()}, error = "input must be %(C%) or %(%*, C%), got a scalar$"},
        {{input = small(2, 3), target = share(3)}, error = "2x3"},
    },
    margin_ranking_loss = {
        torch = "F.margin_ranking_loss(input1, input2, target, margin, reduction=reduction)",
        dtypes = "float",
        {{input1 = small(4), input2 = small(4), target = signs(4)}},
        {{input1 = small(2, 3), input2 = small(2, 3), target = signs(2, 3), margin = 0.5, reduction = "none"}},
        {{input1 = small(0), input2 = small(0), target = signs(0), reduction = "sum"}},
        {{input1 = small(), input2 = small(), target = signs()}},
        {{input1 = small(2, 1), input2 = small(2), target = signs(2)}, error = "input2:reshape%(input1%.shape%)$"},
    },
    multi_margin_loss = {
        torch = "F.multi_margin_loss(input, labels(target, -100), p, margin, weight, reduction=reduction)",
        dtypes = "float",
        {{input = small(3, 4), target = index(4, {3})}},
        {{input = small(3, 4), target = index(4, {3}), p = 2, margin = 0.5, weight = weight, reduction = "none"}},
        {{input = small(4), target = positions(2), reduction = "sum"}},
        {{input = small(0, 4), target = index(4, {0}), reduction = "sum"}, torch = "input.sum()"},
        {{input = small(2, 4), target = positions {1, 5}}, error = "5"},
        {{input = small(2, 4), target = positions {1, 2, 3}}, error = "target must have shape 2, got 3$"},
        {{input = small(2, 4), target = positions {1, 2}, p = 3}, error = "p must be 1 or 2, got 3$"},
        {{input = small(), target = positions(1)}, error = "input must be %(N, C%) or %(C%), got shape scalar$"},
    },
    multilabel_margin_loss = {
        torch = "F.multilabel_margin_loss(input, target - 1, reduction=reduction)",
        dtypes = "float",
        {{input = small(2, 4), target = positions {{2, 4, 0, 1}, {0, 0, 0, 0}}}},
        {{input = small(2, 4), target = positions {{1, 2, 3, 4}, {3, 0, 2, 0}}, reduction = "none"}},
        {{input = small(3), target = positions {3, 0, 0}, reduction = "sum"}},
        {{input = small(0, 3), target = index(3, {0, 3}), reduction = "sum"}, torch = "input.sum()"},
        {{input = small(1, 3), target = positions {{4, 0, 0}}}, error = "4"},
        {{input = small(2, 3), target = positions {1, 2}}, error = "2x3"},
        {{input = small(), target = positions(1)}, error = "input must be %(N, C%) or %(C%), got shape scalar$"},
    },
    cosine_embedding_loss = {
        torch = "F.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)",
        dtypes = "float",
        {{input1 = small(3, 4), input2 = small(3, 4), target = positions {1, -1, 1}}},
        {{input1 = small(3, 4), input2 = small(3, 4), target = positions {-1, -1, 1}, margin = 0.25,
            reduction = "none"}},
        {{input1 = small(4), input2 = small(4), target = positions(1)}},
        {{input1 = small(0, 4), input2 = small(0, 4), target = index(1, {0}), reduction = "sum"}},
        {{input1 = small(3, 4), input2 = small(3, 4), target = positions {{1}, {-1}, {1}}},
            error = "got shapes 3x4, 3x4 and 3x1$"},
        {{input1 = small(), input2 = small(), target = positions(1)}, error = "got shapes scalar"},
    },
    triplet_margin_loss = {
        torch = "F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=reduction)",
        dtypes = "float complex",
        {{anchor = small(3, 4), positive = small(3, 4), negative = small(3, 4)}},
        {{anchor = small(3, 4), positive = small(3, 4), negative = small(3, 4), margin = 3.0, p = 1, swap = true,
            reduction = "none"}},
        {{anchor = small(4), positive = small(4), negative = small(4), margin = 5.0}},
        {{anchor = small(0, 4), positive = small(0, 4), negative = small(0, 4), reduction = "sum"}},
        {{anchor = small(2, 4), positive = small(4), negative = small(2, 4)}, error = "positive has 4"},
        {{anchor = small(), positive = small(), negative = small()}, error = "anchor must be %(D%) or %(N, D%)"},
        {{anchor = small(4), positive = small(4), negative = small(4), margin = 0.0},
            error = "margin must be positive"},
    },
    cross_entropy_rows = in_each_dtype {
        torch = "entropy_rows(input, target, weight, ignore_index, label_smoothing)",
        {{input = small(3, 4), target = index(4, {3})}},
        {{input = small(3, 4), target = positions {2, -100, 4}, weight = weight, label_smoothing = 0.25}},
        {{input = small(2, 70), target = index(70, {2}), label_smoothing = 0.125}, grad = false},
        {{input = small(0, 4), target = index(4, {0})}},
        {{input = small(), target = positions(1)}, error = "input must be %(M, C%), got shape scalar$"},
        {{input = small(2, 4), target = positions {1, 5}}, error = "5"},
    },
    cross_entropy_rows_backward = {
        torch = "entropy_rows_back(grad, input, target, weight, lse, ignore_index, label_smoothing)",
        {{grad = small(3), input = small(3, 4), target = index(4, {3}), lse = literal({1.0, 2.0, 1.5},
            {dtype = "float64", grad = false})}},
        {{grad = small(3), input = small(3, 4), target = positions {2, -100, 4}, weight = weight,
            label_smoothing = 0.25, lse = literal({1.0, 2.0, 1.5}, {dtype = "float64", grad = false})}},
        {{grad = small(0), input = small(0, 4), target = index(4, {0}),
            lse = random {0, dtype = "float64", grad = false}}},
        {{grad = small(), input = small(1, 4), target = positions {1}, lse = literal({1.0}, {dtype = "float64"})},
            error = "must have one entry for each row, got shapes scalar and 1$"},
    },
    ctc_losses = {
        torch = "ctc(log_probs, targets, input_lengths, target_lengths, blank)",
        {{log_probs = logits(4, 2, 3), targets = positions {{2, 3}, {2, 2}}, input_lengths = positions {4, 4},
            target_lengths = positions {2, 2}}},
        {{log_probs = logits(4, 2, 3), targets = positions {1, 2, 1}, input_lengths = positions {3, 4},
            target_lengths = positions {1, 2}, blank = 3}, layouts = "sliced"},
        {{log_probs = logits(2, 1, 3), targets = positions {{2, 2}}, input_lengths = positions {2},
            target_lengths = positions {2}}, grad = false},
        {{log_probs = logits(2, 2, 3), targets = positions {{2, 2}, {3, 3}}, input_lengths = positions {2, 2},
            target_lengths = positions {2, 0}, zero_infinity = true}, grad = false,
            torch = "F.ctc_loss(log_probs, targets - 1, input_lengths, target_lengths, 0, 'none', True)"},
        {{log_probs = logits(2, 0, 3), targets = index(3, {0, 2}), input_lengths = index(2, {0}),
            target_lengths = index(2, {0})}, torch = "log_probs[0, :, 0]"},
        {{log_probs = logits(), targets = positions {1}, input_lengths = positions {1}, target_lengths = positions {1}},
            error = "log_probs must be %(T, N, C%), got shape scalar$"},
        {{log_probs = logits(2, 1, 3), targets = positions {{4}}, input_lengths = positions {2},
            target_lengths = positions {1}}, error = "class labels from 1 to 3, got 4 in sequence 1$"},
        {{log_probs = logits(2, 1, 3), targets = positions {{2}}, input_lengths = positions {3},
            target_lengths = positions {1}}, error = "input_lengths must be in %[0, 2%], got 3 at position 1$"},
        {{log_probs = logits(2, 1, 3), targets = positions {2, 3}, input_lengths = positions {2},
            target_lengths = positions {1}}, error = "target_lengths add up to 1, but targets hold 2 labels$"},
        {{log_probs = logits(2, 1, 3), targets = positions {2}, input_lengths = positions {2},
            target_lengths = positions {1}, blank = 0}, error = "blank must be a class from 1 to 3, got 0$"},
    },
    ctc_losses_backward = {
        torch = "ctc_back(grad, log_probs, targets, input_lengths, target_lengths, blank)",
        {{grad = fixed(2), log_probs = random {4, 2, 3, low = -2, high = -0.125, grad = false},
            targets = positions {{2, 3}, {2, 2}}, input_lengths = positions {4, 3}, target_lengths = positions {2, 1}}},
        {{grad = fixed(0), log_probs = random {2, 0, 3, low = -2, high = -0.125, grad = false},
            targets = index(3, {0, 2}), input_lengths = index(2, {0}), target_lengths = index(2, {0})},
            torch = "log_probs"},
        {{grad = fixed(), log_probs = logits(2, 1, 3), targets = positions {2}, input_lengths = positions {2},
            target_lengths = positions {1}}, error = "grad must have one entry for each sequence, got shape scalar$"},
    },
    ctc_loss = {
        torch = "reduced_ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction)",
        dtypes = "float",
        {{log_probs = logits(4, 2, 3), targets = positions {{2, 3}, {2, 2}}, input_lengths = positions {4, 4},
            target_lengths = positions {2, 1}}},
        {{log_probs = logits(4, 2, 3), targets = positions {2, 3, 2}, input_lengths = positions {3, 4},
            target_lengths = positions {1, 2}, reduction = "sum"}, layouts = "sliced"},
        {{log_probs = logits(4, 3), targets = positions {2, 3}, input_lengths = positions(4),
            target_lengths = positions(2), reduction = "none"},
            torch = "ctc(log_probs[:, None], targets[None], input_lengths[None], target_lengths[None], 1)[0]"},
        {{log_probs = logits(2, 0, 3), targets = index(3, {0, 2}), input_lengths = index(2, {0}),
            target_lengths = index(2, {0}), reduction = "sum"}, torch = "log_probs.sum()"},
        {{log_probs = logits(), targets = positions {1}, input_lengths = positions {1}, target_lengths = positions {1}},
            error = "log_probs must be %(T, N, C%) or %(T, C%)"},
        {{log_probs = logits(2, 1, 3), targets = positions {{2}}, input_lengths = positions {2, 1},
            target_lengths = positions {1}}, error = "input_lengths must have shape 1, one length for each"},
    },
}
