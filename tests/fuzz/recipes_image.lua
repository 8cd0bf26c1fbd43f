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

function recipes.conv_relu() return convolution(random(3)) end
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

local function adaptive(dims, named)
    local size = numbers(dims, named and -1 or 1, 7)
    if not named and type(size) == "number" then
        size = table.move({size, size, size}, 1, dims, 1, {})
    end
    local shape = image(values.size() % 4, random(0, 3), dims, function() return random(1, largest[dims]) end)
    return {values.tensor(shape, real_dtype()), size}
end

function recipes.adaptive_max_pool() return adaptive(random(3)) end

local function unpooling(dims)
    local ok, y, indices = pcall(tocha.max_pool, values.tensor(image(random(2), 2, dims, function()
        return 2 * random(1, 5)
    end), "float32"), table.move({2, 2, 2}, 1, dims, 1, {}))
    indices = ok and chance(0.8) and indices or values.positions(ok and y:size() or {1, 1, 1}, 9)
    return {ok and y or values.tensor(nil, "float32"), indices, chance(0.8) and 2 or numbers(dims, 1, 3), n = 3}
end

local function fractional(dims)
    local shape = image(values.size() % 4, random(0, 3), dims, function() return random(3, 9) end)
    local batched = #shape == dims + 2
    local ratio = chance(0.3)
    local samples = chance(0.6) and tocha.rand(batched and shape[1] or 1, shape[batched and 2 or 1], dims) or nil
    return {values.tensor(shape, real_dtype()), numbers(dims, 1, 3), not ratio and numbers(dims, 1, 3) or nil,
        ratio and chance(0.8) and random() or nil, chance(0.3), samples, n = 6}
end

function recipes.fractional_max_pool()
    local dims = random(3)
    local shape = {random(0, 3), random(3)}
    for i = 1, dims do
        shape[2 + i] = random(3, 9)
    end
    local function each(low, high)
        local list = {}
        for i = 1, dims do
            list[i] = random(low, high)
        end
        return list
    end
    local samples = chance(0.9) and tocha.rand(shape[1], shape[2], dims) or values.tensor({shape[1], shape[2], dims})
    return {values.tensor(shape, real_dtype()), each(1, 3), each(1, 3), samples}
end

for dims = 1, 3 do
    local name = ("%dd"):format(dims)
    recipes["adaptive_avg_pool" .. name] = function() return adaptive(dims, true) end
    recipes["adaptive_max_pool" .. name] = recipes["adaptive_avg_pool" .. name]
    recipes["adaptive_max_pool" .. name .. "_with_indices"] = recipes["adaptive_avg_pool" .. name]
    recipes["max_unpool" .. name] = function() return unpooling(dims) end
    recipes["fractional_max_pool" .. name] = function() return fractional(dims) end
    recipes["fractional_max_pool" .. name .. "_with_indices"] = recipes["fractional_max_pool" .. name]
    recipes["lp_pool" .. name] = function()
        local args = pooling(dims, float_dtype(), true)
        return {args[1], pick {1, 2, 3, 0.5, 0, -1, values.float()}, args[2], args[3], chance(0.3), n = 5}
    end
end

local resample_modes = {"nearest", "nearest-exact", "linear", "cubic", "area", "x"}

local function resampling(dims)
    local shape, size = {values.size() % 4, random(0, 3)}, {}
    for i = 1, dims do
        shape[2 + i], size[i] = random(1, largest[dims]), random(1, 12)
    end
    local mode = pick(resample_modes)
    local smooth = mode == "linear" or mode == "cubic" or chance(0.1)
    return {values.tensor(shape, float_dtype()), size, mode, smooth and chance(0.5), smooth and chance(0.4)}
end

function recipes.resample() return resampling(random(3)) end

function recipes.resample_backward()
    local args = resampling(random(3))
    local sizes = args[1]:size()
    local grad = {sizes[1], sizes[2], table.unpack(args[2])}
    return {values.tensor(grad, args[1].dtype), sizes, args[3], args[4], args[5]}
end

local interpolation_modes = {{"linear"}, {"bilinear", "bicubic"}, {"trilinear"}}

function recipes.interpolate()
    local dims = random(3)
    local args = resampling(dims)
    local mode = chance(0.5) and pick(interpolation_modes[dims]) or pick {"nearest", "nearest-exact", "area", "x"}
    local scaled, smooth = chance(0.5), mode:find "linear" or mode == "bicubic"
    local scale = random() * 3
    return {args[1], not scaled and args[2] or nil, scaled and (chance(0.5) and scale or {scale, scale, scale}) or nil,
        mode, smooth and chance(0.5) or nil, scaled and chance(0.3) or nil, smooth and dims == 2 and chance(0.5) or nil,
        n = 7}
end

function recipes.upsample()
    local args = recipes.interpolate()
    return {args[1], args[2], args[3], args[4], args[5], n = 5}
end

function recipes.pixel_shuffle()
    local r = random(3)
    return {values.tensor(image(random(0, 3), r * r * random(0, 2), 2, function() return random(0, 4) end)), r}
end

function recipes.pixel_unshuffle()
    local r = random(3)
    return {values.tensor(image(random(0, 3), random(0, 2), 2, function() return r * random(0, 4) end)), r}
end

function recipes.channel_shuffle()
    local groups = random(3)
    return {values.tensor(image(random(0, 3), groups * random(0, 3), random(3), function() return random(0, 4) end)),
        groups}
end

local function patches()
    local shape = image(values.size() % 4, random(0, 3), 2, function() return random(1, 9) end)
    return {values.tensor(shape, float_dtype()), numbers(2, 1, 3), numbers(2, 1, 2), numbers(2, 0, 2), numbers(2, 1, 3)}
end

recipes.im2col = patches

function recipes.col2im()
    local args = patches()
    local ok, columns = pcall(tocha.im2col, table.unpack(args))
    local shape = args[1]:size()
    return {ok and columns or args[1], {shape[#shape - 1], shape[#shape]}, args[2], args[3], args[4], args[5]}
end

local function sampling()
    local dims, dtype = random(2, 3), float_dtype()
    local n, c = random(0, 2), random(0, 3)
    local input, grid, result = {n, c}, {n}, {n, c}
    for i = 1, dims do
        input[2 + i], grid[1 + i] = random(1, 5), random(0, 4)
        result[2 + i] = grid[1 + i]
    end
    grid[#grid + 1] = dims
    local how = {pick {"bilinear", "nearest", "bicubic", "x"}, pick {"zeros", "border", "reflection", "x"}, chance(0.5)}
    local order = numbers(dims, 0, 3)
    return values.tensor(input, dtype), values.tensor(grid, dtype), values.tensor(result, dtype), how, order
end

function recipes.grid_sample()
    local input, grid, _, how = sampling()
    return {input, grid, how[1], how[2], how[3]}
end

function recipes.grid_sampler()
    local input, grid, _, how, order = sampling()
    return {input, grid, how[1], how[2], how[3], order}
end

function recipes.grid_sampler_input_grad()
    local input, grid, result, how, order = sampling()
    return {result, grid, input:size(), how[1], how[2], how[3], order}
end

function recipes.grid_sampler_grid_grad()
    local input, grid, result, how, order = sampling()
    return {result, input, grid, how[1], how[2], how[3], order}
end

function recipes.affine_grid()
    local dims, n = random(2, 3), random(0, 3)
    local size = {n, random(0, 2)}
    for i = 1, dims do
        size[2 + i] = random(0, 5)
    end
    return {values.tensor({n, dims, dims + 1}, float_dtype()), size, chance(0.5)}
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
