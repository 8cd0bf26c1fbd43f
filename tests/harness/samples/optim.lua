--- Samples of the optimisers' steps. Half types are written between steps, so they round several times.

local values = require "tests.harness.values"

local literal, random = values.literal, values.random

local function t(...)
    return random {low = -2, high = 2, ...}
end

local function positive(...)
    return random {low = 0.25, high = 2, ...}
end

local function sgd(args, ...)
    args.param, args.grad = t(...), t(...)
    if args.momentum then
        args.momentum_buffer = t(...)
    end
    return {args}
end

local function adam(args, ...)
    args.param, args.grad, args.exp_avg, args.exp_avg_sq = t(...), t(...), t(...), positive(...)
    if args.amsgrad then
        args.amsgrad, args.max_exp_avg_sq = nil, positive(...)
    end
    args.step = args.step or 1
    return {args}
end

return {
    sgd_step = {
        torch = "sgd_step(param, grad, momentum_buffer, lr, momentum, dampening, weight_decay, nesterov, " ..
            "maximize, first)",
        ulps = 1.01,
        sgd({lr = 0.1}, 2, 3),
        sgd({lr = 0.1, weight_decay = 0.01}, 67),
        sgd({lr = 0.1, momentum = 0.9, first = true}, 2, 3),
        sgd({lr = 0.1, momentum = 0.9}, 67),
        sgd({lr = 0.1, momentum = 0.9, dampening = 0.5, weight_decay = 0.1}, 2, 3),
        sgd({lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.1}, 2, 3),
        sgd({lr = 0.1, maximize = true}, 2, 3),
        sgd({lr = 0.1}),
        sgd({lr = 0.1, momentum = 0.9}, 0),
        {{param = t(2), grad = t(3), lr = 0.1}, error = "sgd_step: grad"},
        {{param = t(2), grad = t(2), lr = 0.1, momentum = 0.9}, error = "sgd_step: .*momentum_buffer"},
        {{param = t(2), grad = t(2)}, error = "sgd_step: lr is missing"},
    },
    adam_step = {
        torch = "adam_step(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, beta1, beta2, eps, " ..
            "weight_decay, decoupled, maximize)",
        ulps = 1.01,
        adam({}, 2, 3),
        adam({step = 10, lr = 0.01}, 67),
        adam({step = 3, weight_decay = 0.1}, 2, 3),
        adam({step = 3, weight_decay = 0.1, decoupled = true}, 2, 3),
        adam({step = 3, amsgrad = true}, 2, 3),
        adam({step = 2, beta1 = 0.5, beta2 = 0.9, eps = 1e-4, maximize = true}, 2, 3),
        adam({step = 1}),
        adam({step = 1}, 0),
        {{param = t(2), grad = t(2), exp_avg = t(2), exp_avg_sq = t(2), step = 0}, error = "adam_step: step.*0"},
        {{param = t(2), grad = t(3), exp_avg = t(2), exp_avg_sq = t(2), step = 1}, error = "adam_step: grad"},
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
