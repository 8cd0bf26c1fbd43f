--- Arguments as in recipes.lua, for normalisation, losses, attention and recurrence.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function float_dtype()
    return chance(0.6) and "float32" or pick {"float64", "float16", "bfloat16"}
end

local function maybe(p, value)
    return chance(p) and value or nil
end

local function standardized(dtype)
    local over_batch = chance(0.4)
    return {random(0, 4), random(0, 4), over_batch and 1 or random(0, 5), pick {1, 1, 2, 3, 40}}, over_batch,
        chance(0.8), dtype
end

function recipes.standardize()
    local dtype = float_dtype()
    local shape, over_batch, center = standardized()
    local weights = {shape[2] * shape[3]}
    return {values.tensor(shape, dtype), maybe(0.6, values.tensor(weights, dtype)),
        maybe(0.6, values.tensor(weights, dtype)), chance(0.8) and 1e-5 or values.float(), over_batch, center, n = 6}
end

function recipes.standardize_backward()
    local dtype = float_dtype()
    local shape, over_batch, center = standardized()
    local statistics = dtype:find("16", 1, true) and "float32" or dtype
    local rows = over_batch and {shape[2]} or {shape[1], shape[2]}
    return {values.tensor(shape, dtype), values.tensor(shape, dtype),
        maybe(0.6, values.tensor({shape[2] * shape[3]}, dtype)), values.tensor(rows, statistics),
        values.tensor(rows, statistics), over_batch, center, n = 7}
end

local function over_last(bias)
    local dtype, lead, own = float_dtype(), values.shape(random(0, 2)), values.shape(random(1, 2))
    local shape = table.move(own, 1, #own, #lead + 1, table.move(lead, 1, #lead, 1, {}))
    local args = {values.tensor(shape, dtype), own, maybe(0.6, values.tensor(own, dtype)), n = 5}
    args[4] = bias and maybe(0.6, values.tensor(own, dtype)) or nil
    args[bias and 5 or 4] = chance(0.8) and 1e-5 or values.float()
    args.n = bias and 5 or 4
    return args
end

function recipes.layer_norm() return over_last(true) end
function recipes.rms_norm() return over_last(false) end

local function images(least)
    local shape = {values.size() % 4, random(1, 6)}
    for d = 3, random(least, 4) do
        shape[d] = values.size() % 12
    end
    return shape
end

function recipes.group_norm()
    local dtype, shape = float_dtype(), images(2)
    return {values.tensor(shape, dtype), pick {1, shape[2], 2, 3}, maybe(0.6, values.tensor({shape[2]}, dtype)),
        maybe(0.6, values.tensor({shape[2]}, dtype)), 1e-5, n = 5}
end

local function channel_norm(least)
    local dtype, shape = float_dtype(), images(least)
    local function one() return values.tensor({shape[2]}, dtype) end
    local tracked = chance(0.5)
    return {values.tensor(shape, dtype), tracked and one() or nil, tracked and one() or nil, maybe(0.6, one()),
        maybe(0.6, one()), chance(0.6), chance(0.8) and 0.1 or values.float(), 1e-5, n = 8}
end

function recipes.batch_norm() return channel_norm(2) end
function recipes.instance_norm() return channel_norm(3) end

function recipes.local_response_norm()
    return {values.tensor(images(3), float_dtype()), random(7), chance(0.8) and 1e-4 or values.float(), 0.75, 1}
end

function recipes.pdist()
    return {values.tensor({random(0, 9), random(0, 5)}, float_dtype()), pick {0, 1, 2, 3, math.huge}}
end

--- Query, key, value and a mask that fits, of random sizes.
local function heads(dtype)
    local b, k, group = random(0, 2), random(0, 2), random(1, 3)
    local l, keys, e, v = pick {0, 1, 3, 40}, pick {0, 1, 5, 140}, random(0, 9), random(0, 9)
    local mask = {pick {1, b}, pick {1, k * group}, pick {1, l}, pick {1, keys}}
    return {
        query = values.tensor({b, k * group, l, e}, dtype), key = values.tensor({b, k, keys, e}, dtype),
        value = values.tensor({b, k, keys, v}, dtype), bias = maybe(0.5, values.tensor(mask, dtype)),
        output = {b, k * group, l, v}, rows = {b, k * group, l},
    }
end

function recipes.attend()
    local x = heads(float_dtype())
    return {x.query, x.key, x.value, x.bias, chance(0.8) and 0.5 or values.float(), chance(0.4), n = 6}
end

function recipes.attend_backward()
    local dtype = float_dtype()
    local x, sums = heads(dtype), dtype:find("16", 1, true) and "float32" or dtype
    return {values.tensor(x.output, dtype), x.query, x.key, x.value, x.bias, values.tensor(x.output, dtype),
        values.tensor(x.rows, sums), maybe(0.5, values.tensor(x.rows, sums)), chance(0.8) and 0.5 or values.float(),
        chance(0.4), n = 10}
end

function recipes.scaled_dot_product_attention()
    local x = heads(float_dtype())
    local grouped = x.query:size(2) ~= x.key:size(2)
    return {x.query, x.key, x.value, x.bias, chance(0.7) and 0.0 or 0.5, not x.bias and chance(0.4), nil,
        grouped or chance(0.2), n = 8}
end

local gates = {tanh = 1, relu = 1, lstm = 4, gru = 3}

local function recurrent()
    local mode, dtype = pick {"tanh", "relu", "lstm", "gru"}, pick {"float32", "float64"}
    local t, n, h = random(0, 4), pick {0, 1, 3, 20}, random(0, 5)
    return mode, dtype, t, n, h, gates[mode] * h
end

function recipes.rnn_sequence()
    local mode, dtype, t, n, h, k = recurrent()
    return {values.tensor({t, n, k}, dtype), values.tensor({k, h}, dtype), maybe(0.5, values.tensor({k}, dtype)),
        values.tensor({n, h}, dtype), mode == "lstm" and values.tensor({n, h}, dtype) or nil, mode, chance(0.5), n = 7}
end

function recipes.rnn_sequence_backward()
    local mode, dtype, t, n, h, k = recurrent()
    local lstm = mode == "lstm"
    local kept, cells = {t, n, gates[mode] > 1 and 4 * h or 0}, {t, n, lstm and h or 0}
    local function state() return values.tensor({n, h}, dtype) end
    return {values.tensor({t, n, h}, dtype), maybe(0.5, values.tensor(cells, dtype)),
        maybe(0.5, values.tensor(kept, dtype)), values.tensor({k, h}, dtype), state(), lstm and state() or nil,
        values.tensor({t, n, h}, dtype), values.tensor(cells, dtype), values.tensor(kept, dtype), mode, chance(0.5),
        n = 11}
end

local function network(k, two)
    local dtype, t, n, input, h = float_dtype(), random(4), random(0, 3), random(0, 4), random(0, 4)
    local layers, directions, biases, single = random(2), random(2), chance(0.5), chance(0.2)
    local params = {}
    for layer = 1, layers do
        for _ = 1, directions do
            params[#params + 1] = values.tensor({k * h, layer == 1 and input or directions * h}, dtype)
            params[#params + 1] = values.tensor({k * h, h}, dtype)
            for _ = 1, biases and 2 or 0 do
                params[#params + 1] = values.tensor({k * h}, dtype)
            end
        end
    end
    local shape = single and {layers * directions, h} or {layers * directions, n, h}
    local function state() return values.tensor(shape, dtype) end
    return {values.tensor(single and {t, input} or {t, n, input}, dtype), two and {state(), state()} or state(), params,
        biases, layers, pick {0.0, 0.0, 0.5}, chance(0.5), directions == 2, single and chance(0.5), n = 9}
end

function recipes.lstm() return network(4, true) end
function recipes.gru() return network(3) end
function recipes.rnn_tanh() return network(1) end
function recipes.rnn_relu() return network(1) end

local function cell(k, two)
    local dtype, n, input, h = float_dtype(), random(0, 3), random(0, 4), random(0, 4)
    local function state() return values.tensor({n, h}, dtype) end
    return {values.tensor({n, input}, dtype), two and {state(), state()} or state(),
        values.tensor({k * h, input}, dtype), values.tensor({k * h, h}, dtype), maybe(0.5, values.tensor({k * h},
            dtype)),
        maybe(0.5, values.tensor({k * h}, dtype)), n = 6}
end

function recipes.lstm_cell() return cell(4, true) end
function recipes.gru_cell() return cell(3) end
function recipes.rnn_tanh_cell() return cell(1) end
function recipes.rnn_relu_cell() return cell(1) end

local reductions = {"mean", "sum", "none"}

--- A class label for each of n rows, at times one that is none.
local function labels(n, classes)
    return values.positions(n and {n} or {}, math.max(classes, 1))
end

function recipes.multi_margin_loss()
    local dtype, n, classes = float_dtype(), chance(0.8) and random(0, 5) or nil, random(0, 5)
    return {values.tensor(n and {n, classes} or {classes}, dtype), labels(n, classes), random(2), values.float(),
        maybe(0.4, values.tensor({classes}, dtype)), pick(reductions), n = 6}
end

function recipes.multilabel_margin_loss()
    local shape = chance(0.8) and {random(0, 5), random(0, 5)} or {random(0, 5)}
    return {values.tensor(shape, float_dtype()), values.positions(shape, math.max(shape[#shape], 1)), pick(reductions)}
end

function recipes.cosine_embedding_loss()
    local dtype, n, d = float_dtype(), chance(0.8) and random(0, 5) or nil, random(0, 5)
    local shape = n and {n, d} or {d}
    return {values.tensor(shape, dtype), values.tensor(shape, dtype), labels(n, 1), values.float(), pick(reductions)}
end

function recipes.gaussian_nll_loss()
    local dtype, shape = float_dtype(), values.shape(random(0, 3))
    local function one() return values.tensor(shape, dtype) end
    return {one(), one(), one(), chance(0.5), 1e-6, pick(reductions)}
end

function recipes.binary_cross_entropy()
    local dtype, shape = float_dtype(), values.shape(random(0, 3))
    return {values.tensor(shape, dtype):sigmoid(), values.tensor(shape, dtype):sigmoid(),
        maybe(0.4, values.tensor(shape, dtype)), pick(reductions), n = 4}
end

function recipes.embedding_bag()
    local dtype, n, d = float_dtype(), random(0, 5), random(0, 4)
    local flat, mode = chance(0.5), pick {"sum", "mean", "max"}
    local shape = flat and {random(0, 7)} or {random(0, 4), random(0, 4)}
    local offsets = flat and tocha.ones(1, {dtype = "int64"}) or nil
    if flat and chance(0.6) then
        offsets = tocha.tensor({1, random(1, shape[1] + 1), shape[1] + 1}):sort()
    end
    return {values.positions(shape, math.max(n, 1)), values.tensor({n, d}, dtype), offsets,
        chance(0.3) and values.float() or nil, 2, chance(0.3), mode,
        mode == "sum" and maybe(0.5, values.tensor(shape, dtype)) or nil, false, chance(0.3) and 1 or nil, n = 10}
end

local function alignment(dtype)
    local steps, n, classes, longest = random(0, 5), random(0, 3), random(1, 4), random(0, 3)
    local function lengths(most)
        local list = {}
        for i = 1, n do
            list[i] = random(0, most)
        end
        return n > 0 and tocha.tensor(list) or tocha.zeros(0, {dtype = "int64"})
    end
    return values.tensor({steps, n, classes}, dtype), values.positions({n, longest}, classes), lengths(steps),
        lengths(longest), random(1, classes), n
end

function recipes.ctc_losses()
    local x, targets, steps, lengths, blank = alignment(pick {"float32", "float64"})
    return {x, targets, steps, lengths, blank, chance(0.5)}
end

function recipes.ctc_losses_backward()
    local dtype = pick {"float32", "float64"}
    local x, targets, steps, lengths, blank, n = alignment(dtype)
    return {values.tensor({n}, dtype), x, targets, steps, lengths, blank, chance(0.5)}
end

function recipes.ctc_loss()
    local x, targets, steps, lengths, blank = alignment(float_dtype())
    return {x, targets, steps, lengths, blank, pick(reductions), chance(0.5)}
end

function recipes.cross_entropy_rows()
    local dtype, m, classes = pick {"float32", "float64"}, random(0, 5), random(0, 5)
    return {values.tensor({m, classes}, dtype), labels(m, classes), maybe(0.4, values.tensor({classes}, dtype)),
        pick {-100, 1, 2}, pick {0.0, 0.25, 1.0}, n = 5}
end

function recipes.cross_entropy_rows_backward()
    local dtype, m, classes = pick {"float32", "float64"}, random(0, 5), random(0, 5)
    return {values.tensor({m}, dtype), values.tensor({m, classes}, dtype), labels(m, classes),
        maybe(0.4, values.tensor({classes}, dtype)), values.tensor({m}, "float64"), pick {-100, 1}, 0.25, n = 7}
end

return recipes
