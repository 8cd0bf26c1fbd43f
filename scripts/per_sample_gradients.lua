--- Gradients of a loss for each sample of a batch, of a multi-layer perceptron and of a convolutional network,
--- all at once by vmap, and the same in a loop. Run: scripts/run scripts/per_sample_gradients.lua

local tocha = require "tocha"
local nn = require "nn"

local func = tocha.func

--- The network's parameters by name, as the argument that the loss is differentiated by.
local function parameters_of(net)
    local state = {}
    for name, p in net:named_parameters() do
        state[name] = p:detach()
    end
    return state
end

--- Both ways, their times and how far they are apart.
local function compare(title, net, inputs, labels)
    local state = parameters_of(net)
    local function loss(parameters, sample, label)
        local scores = func.functional_call(net, parameters, sample:unsqueeze(1))
        return tocha.cross_entropy(scores, label:unsqueeze(1))
    end
    local gradient = func.grad(loss)
    local all = func.vmap(gradient, {in_dims = {false, 1, 1}})
    all(state, inputs, labels) -- the first run fills caches

    local start = tocha.clock()
    local together = all(state, inputs, labels)
    local middle = tocha.clock()
    local apart = 0
    for s = 1, inputs:size(1) do
        for name, g in pairs(gradient(state, inputs[s], labels[s])) do
            apart = math.max(apart, (together[name][s] - g):abs():max():item())
        end
    end
    local finish = tocha.clock()
    print(("%s, %d samples: at once %.1f ms, in a loop %.1f ms, largest difference %.1e"):format(title, inputs:size(1),
        1000 * (middle - start), 1000 * (finish - middle), apart))
    return apart
end

tocha.manual_seed(1)
local mlp = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
local worst = compare("MLP", mlp, tocha.randn(64, 64), tocha.randint(10, {64}))

local cnn = nn.Sequential(nn.Conv2d(1, 8, 3, {padding = 1}), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
    nn.Flatten(), nn.Linear(8 * 4 * 4, 10))
worst = math.max(worst, compare("CNN", cnn, tocha.randn(32, 1, 12, 12), tocha.randint(10, {32})))
assert(worst < 1e-5, "the two ways disagree")
