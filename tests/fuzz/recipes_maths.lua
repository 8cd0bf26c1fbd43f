--- Arguments for mathematical functions and arithmetic, as tests/fuzz/recipes.lua has them for the others.

local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local ints = {"int64", "int32", "int16", "uint8", "int8"}

for _, name in ipairs {"gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift"} do
    recipes[name] = function()
        local x = values.tensor(nil, pick(ints))
        return {x, chance(0.7) and values.broadcast(x:size(), x.dtype) or random(-3, 70)}
    end
end

function recipes.polygamma()
    local n = chance(0.9) and random(0, 4) or pick {-1, 171, 1 << 40, math.maxinteger}
    return chance(0.5) and {values.tensor(), n} or {n, values.tensor()}
end

function recipes.mvlgamma()
    return {values.tensor(), chance(0.9) and random(0, 5) or pick {-1, 1000, 1001, math.maxinteger}}
end

function recipes.div()
    local x = values.tensor()
    return {x, chance(0.7) and values.broadcast(x:size()) or values.number(),
        chance(0.5) and {rounding_mode = pick {"floor", "trunc", "up"}} or nil}
end

function recipes.round()
    return {values.tensor(), chance(0.7) and random(-4, 4) or nil}
end

local activations = {"elu", "hardtanh", "gelu", "gelu_tanh", "silu", "mish", "softplus", "threshold", "swish"}

function recipes.activation_backward()
    local shape, dtype = values.shape(), pick {"float32", "float64", "float16", "bfloat16"}
    return {values.tensor(shape, dtype), values.tensor(shape, dtype), pick(activations), values.number(),
        values.number()}
end

function recipes.gelu()
    return {values.tensor(nil, "float32"), chance(0.8) and pick {"none", "tanh"} or nil}
end

function recipes.prelu()
    local channels = random(0, 4)
    local shape = pick {{2, channels}, {3, channels, 2}, {channels}, {}}
    return {values.tensor(shape, "float32"), values.tensor({chance(0.5) and 1 or channels}, "float32")}
end

function recipes.glu()
    local shape = values.shape(random(1, 3))
    local d = random(#shape)
    shape[d] = shape[d] * 2
    return {values.tensor(shape, "float32"), d}
end

return recipes
