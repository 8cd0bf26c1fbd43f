--- Arguments as in recipes.lua, for convolution, pooling and what else works on images.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function float_dtype()
    return chance(0.6) and "float32" or pick {"float64", "float16", "bfloat16"}
end

local function real_dtype()
    return chance(0.6) and "float32" or pick {"float64", "float16", "int64", "int32", "uint8"}
end

--- A number in [low, high], or a list of dims of them.
local function numbers(dims, low, high)
    if chance(0.5) then
        return random(low, high)
    end
    local list = {}
    for i = 1, chance(0.97) and dims or random(0, 4) do
        list[i] = random(low, high)
    end
    return list
end

--- The sizes of images: batch and channels, or channels alone, and sizes that each(i) gives.
local function image(batch, channels, dims, each)
    local shape = chance(0.8) and {batch, channels} or {channels}
    for i = 1, dims do
        shape[#shape + 1] = each(i)
    end
    return shape
end

local largest = {40, 20, 7}

local function convolution(dims)
    local dtype, groups = float_dtype(), chance(0.7) and 1 or random(2, 3)
    local c, o, kernel = groups * random(2), groups * random(3), {}
    local weight = {o, c // groups}
    for i = 1, dims do
        kernel[i] = random(4)
        weight[2 + i] = kernel[i]
    end
    local input = image(values.size() % 5, c, dims, function(i) return kernel[i] + random(0, largest[dims]) end)
    return {values.tensor(input, dtype), values.tensor(weight, dtype),
        chance(0.5) and values.tensor({o}, dtype) or nil, numbers(dims, 1, 3),
        chance(0.8) and numbers(dims, 0, 2) or pick {"same", "valid", "x"}, chance(0.7) and 1 or numbers(dims, 1, 3),
        groups, n = 7}
end

local function conv_grads(first)
    local dims = random(3)
    local args = convolution(dims)
    args[5] = type(args[5]) == "string" and 0 or args[5]
    local ok, y = pcall(tocha[("conv%dd"):format(dims)], table.unpack(args, 1, 7))
    local grad = values.tensor(ok and y:size() or values.shape(2 + dims), args[1].dtype)
    local input, weight = args[1], args[2]
    if first == "input" then
        return {grad, weight, input:size(), args[4], args[5], args[6], args[7]}
    end
    return {grad, input, weight:size(), args[4], args[5], args[6], args[7]}
end

function recipes.conv_input_grad() return conv_grads "input" end
function recipes.conv_weight_grad() return conv_grads "weight" end

local function transposed(dims)
    local args = convolution(dims)
    local weight, groups = args[2], args[7]
    local c = weight:size(1)
    args[1] = values.tensor(image(values.size() % 5, c, dims, function() return random(1, largest[dims] // 2) end),
        weight.dtype)
    args[3] = chance(0.5) and values.tensor({weight:size(2) * groups}, weight.dtype) or nil
    args[5] = type(args[5]) == "string" and 0 or args[5]
    local more = chance(0.6) and 0 or numbers(dims, 0, 2)
    return {args[1], weight, args[3], args[4], args[5], more, groups, args[6], n = 8}
end

function recipes.conv_tbc()
    local c, k, o, dtype = random(3), random(3), random(3), float_dtype()
    return {values.tensor({k + random(0, 5), values.size() % 4, c}, dtype), values.tensor({k, c, o}, dtype),
        values.tensor({o}, dtype), random(0, 2)}
end

--- The first two arguments of a pooling, and stride; named: kernel_size may be one number.
local function pooling(dims, dtype, named)
    local kernel = numbers(dims, 1, 3)
    if not named and type(kernel) == "number" then
        local list = {}
        for i = 1, dims do
            list[i] = kernel
        end
        kernel = list
    end
    local shape = image(values.size() % 4, random(0, 3), dims, function() return random(1, largest[dims]) end)
    return {values.tensor(shape, dtype), kernel, chance(0.5) and numbers(dims, 1, 3) or nil,
        chance(0.6) and 0 or 1, n = 4}
end

local function max_pooling(dims, named)
    local args = pooling(dims, real_dtype(), named)
    args[5], args[6], args.n = chance(0.6) and 1 or numbers(dims, 1, 3), chance(0.3), 6
    return args
end

local function avg_pooling(dims, named)
    local args = pooling(dims, float_dtype(), named)
    args[5], args[6], args.n = chance(0.3), chance(0.5), 6
    if not named or dims > 1 then
        args[7], args.n = chance(0.3) and values.integer() or nil, 7
    end
    return args
end

function recipes.max_pool() return max_pooling(random(3)) end
function recipes.avg_pool() return avg_pooling(random(3)) end

function recipes.max_pool_backward()
    local args = recipes.max_pool()
    local ok, _, indices = pcall(tocha.max_pool, table.unpack(args, 1, 6))
    local shape = ok and indices:size() or {2, 1, 1}
    indices = ok and chance(0.7) and indices or values.positions(shape, 4)
    return {values.tensor(shape, args[1].dtype), indices, args[1]:size(), #args[2]}
end

function recipes.avg_pool_backward()
    local args = recipes.avg_pool()
    local ok, y = pcall(tocha.avg_pool, table.unpack(args, 1, 7))
    local grad = values.tensor(ok and y:size() or {1, 1, 1}, args[1].dtype)
    return {grad, args[1]:size(), args[2], args[3], args[4], args[5], args[6], args[7], n = 8}
end

for dims = 1, 3 do
    local name = ("%dd"):format(dims)
    recipes["conv" .. name] = function() return convolution(dims) end
    recipes["conv_transpose" .. name] = function() return transposed(dims) end
    recipes["max_pool" .. name] = function() return max_pooling(dims, true) end
    recipes["max_pool" .. name .. "_with_indices"] = recipes["max_pool" .. name]
    recipes["avg_pool" .. name] = function() return avg_pooling(dims, true) end
end

local function padding(shape, dims)
    local pads = {}
    for i = 1, 2 * dims do
        pads[i] = random(-1, 3)
    end
    if chance(0.05) then
        pads[random(#pads + 1)] = values.integer()
    end
    return {shape, pads, chance(0.3) and "constant" or pick {"reflect", "replicate", "circular", "x"}}
end

function recipes.pad()
    local args = padding(values.shape(), random(0, 3))
    local value = args[3] == "constant" and chance(0.5) and random(0, 3) or nil
    return {values.tensor(args[1]), args[2], args[3], value, n = 4}
end

function recipes.pad_backward()
    local args = padding(values.shape(random(2, 5)), random(1, 3))
    local sizes = table.move(args[1], 1, #args[1], 1, {})
    for i = 1, #args[2] // 2 do
        local d = #sizes + 1 - i
        sizes[d] = sizes[d] and math.min(100, math.max(0, sizes[d] + args[2][2 * i - 1] + args[2][2 * i])) or nil
    end
    return {values.tensor(sizes, float_dtype()), args[1], args[2], args[3]}
end

return recipes
