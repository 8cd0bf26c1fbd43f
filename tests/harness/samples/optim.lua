--- Samples of the optimisers' steps. Half types are written between steps, so they round several times.

local values = require "tests.harness.values"

local literal, random = values.literal, values.random

local function t(...)
    return random {low = -2, high = 2, ...}
end

local function positive(...)
    return random {low = 0.25, high = 2, ...}
end

--- A list of tensors, one from make for each shape.
local function list(make, shapes)
    local made = {}
    for i, shape in ipairs(shapes) do
        made[i] = make(table.unpack(shape))
    end
    return made
end

local function sgd(args, ...)
    args.params, args.grads = list(t, {...}), list(t, {...})
    if args.momentum then
        args.momentum_buffers, args.steps = list(t, {...}), args.steps or 2
    end
    return {args}
end

local function adam(args, ...)
    args.params, args.grads, args.exp_avgs, args.exp_avg_sqs = list(t, {...}), list(t, {...}), list(t, {...}),
        list(positive, {...})
    if args.amsgrad then
        args.amsgrad, args.max_exp_avg_sqs = nil, list(positive, {...})
    end
    args.steps = args.steps or 1
    return {args}
end

--- More shapes than a launch of a device takes.
local function many()
    local shapes = {}
    for i = 1, 50 do
        shapes[i] = {1 + i % 2}
    end
    return table.unpack(shapes)
end

return {
    sgd_step = {
        torch = "sgd_step(params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov, " ..
            "maximize, steps)",
        ulps = 1.01,
        sgd({lr = 0.1}, {2, 3}),
        sgd({lr = 0.1, weight_decay = 0.01}, {67}, {2, 3}, {}),
        sgd({lr = 0.1, momentum = 0.9, steps = 1}, {2, 3}, {4}),
        sgd({lr = 0.1, momentum = 0.9}, {67}),
        sgd({lr = 0.1, momentum = 0.9, dampening = 0.5, weight_decay = 0.1, steps = {5, 1, 2}}, {2, 3}, {1030}, {7}),
        sgd({lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.1}, {2, 3}),
        sgd({lr = 0.1, maximize = true}, {2, 3}),
        sgd({lr = 0.1}, {}),
        sgd({lr = 0.1, momentum = 0.9}, {0}),
        sgd({lr = 0.1, momentum = 0.9}, many()),
        {{params = {t(2), t(3)}, grads = {t(2), t(2)}, lr = 0.1}, error = "sgd_step: entry 2 of grads .* 3, got 2"},
        {{params = {t(2), t(3)}, grads = {t(2)}, lr = 0.1}, error = "sgd_step: grads must have as many .*, 2, got 1"},
        {{params = {}, grads = {}, lr = 0.1}, error = "sgd_step: params is empty"},
        {{params = {t(2)}, grads = {t(2)}, lr = 0.1, momentum = 0.9}, error = "sgd_step: .*momentum_buffers"},
        {{params = {t(2)}, grads = {t(2)}, momentum_buffers = {t(2)}, lr = 0.1, momentum = 0.9},
            error = "sgd_step: steps is needed"},
        {{params = {t(2)}, grads = {t(2)}, lr = 0.1, steps = {1, 2}}, error = "sgd_step: steps must be .*, got 2"},
        {{params = {t(2)}, grads = {t(2)}}, error = "sgd_step: lr is missing"},
    },
    adam_step = {
        torch = "adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, eps, " ..
            "weight_decay, decoupled, maximize)",
        ulps = 1.01,
        adam({}, {2, 3}),
        adam({steps = 10, lr = 0.01}, {67}),
        adam({steps = {3, 1, 7}, weight_decay = 0.1}, {2, 3}, {}, {1030}),
        adam({steps = 3, weight_decay = 0.1, decoupled = true}, {2, 3}),
        adam({steps = {3, 2}, amsgrad = true}, {2, 3}, {5}),
        adam({steps = 2, beta1 = 0.5, beta2 = 0.9, eps = 1e-4, maximize = true}, {2, 3}),
        adam({steps = 1}, {}),
        adam({steps = 1}, {0}),
        adam({steps = 1}, many()),
        {{params = {t(2)}, grads = {t(2)}, exp_avgs = {t(2)}, exp_avg_sqs = {t(2)}, steps = 0},
            error = "adam_step: steps.*0"},
        {{params = {t(2)}, grads = {t(3)}, exp_avgs = {t(2)}, exp_avg_sqs = {t(2)}, steps = 1},
            error = "adam_step: entry 1 of grads"},
        {{params = {t(2)}, grads = {t(2)}, exp_avgs = {t(2)}, exp_avg_sqs = {}, steps = 1},
            error = "adam_step: exp_avg_sqs must have as many tensors as params, 1, got 0"},
    },
    amp_unscale = {
        torch = "amp_unscale(found_inf, grads, inv_scale)",
        dtypes = "float32",
        {{found_inf = literal({0}), grads = {t(2, 3), t(67), t()}, inv_scale = 0.25}},
        {{found_inf = literal({1}), grads = {t(2)}, inv_scale = 0.5}},
        {{found_inf = literal({0}), grads = {t(2), literal({1, 1 / 0, 2})}, inv_scale = 0.5}},
        {{found_inf = literal({0}), grads = {literal({-1 / 0}), t(0)}, inv_scale = 0.5}},
        {{found_inf = literal({0, 0}), grads = {t(2)}, inv_scale = 0.5},
            error = "amp_unscale: found_inf must have one element, got shape 2"},
        {{found_inf = literal({0}), grads = {values.index(3, {2})}, inv_scale = 0.5},
            error = "amp_unscale: entry 1 of grads must be a tensor of floats, got int64"},
    },
}
