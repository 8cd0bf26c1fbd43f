--- Lists of positional arguments, {..., n = count}, for operators whose tensors must fit each other, by public name.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local float_dtype = function() return chance(0.6) and "float32" or pick {"float64", "float16", "bfloat16"} end
local real_dtypes = {"float64", "float16", "int64", "int32", "uint8"}
local real_dtype = function() return chance(0.6) and "float32" or pick(real_dtypes) end

local recipes = {}

--- An extent of a matrix: mostly small, at times beyond the block sizes of products.
local function extent()
    return chance(0.15) and pick {31, 32, 33, 63, 65, 100} or values.size()
end

function recipes.mm()
    local dtype, k = real_dtype(), extent()
    return {values.tensor({extent(), k}, dtype), values.tensor({k, extent()}, dtype)}
end

function recipes.bmm()
    local dtype, b, k = real_dtype(), values.size() % 6, values.size()
    return {values.tensor({b, values.size(), k}, dtype), values.tensor({b, k, values.size()}, dtype)}
end

function recipes.matmul()
    local dtype, k = real_dtype(), values.size()
    local lead = values.shape(random(0, 2))
    local a, b = {}, {}
    for d, size in ipairs(lead) do
        a[d], b[d] = size % 4, chance(0.3) and 1 or size % 4
    end
    a[#a + 1], a[#a + 2] = values.size(), k
    b[#b + 1], b[#b + 2] = k, values.size()
    return {values.tensor(chance(0.2) and {k} or a, dtype), values.tensor(chance(0.2) and {k} or b, dtype)}
end
recipes.matmul_batched = recipes.matmul

function recipes.mv()
    local dtype, k = real_dtype(), extent()
    return {values.tensor({extent(), k}, dtype), values.tensor({k}, dtype)}
end

function recipes.dot()
    local dtype, k = real_dtype(), extent()
    return {values.tensor({k}, dtype), values.tensor({k}, dtype)}
end

function recipes.outer()
    local dtype = real_dtype()
    return {values.tensor({extent()}, dtype), values.tensor({extent()}, dtype)}
end

function recipes.addmm()
    local dtype, n, k, m = real_dtype(), extent(), extent(), extent()
    local bias = pick {{n, m}, {m}, {1, m}, {n, 1}, {}}
    return {values.tensor(bias, dtype), values.tensor({n, k}, dtype), values.tensor({k, m}, dtype),
        chance(0.5) and values.number() or 1, chance(0.5) and values.number() or 1}
end

function recipes.linear()
    local dtype, k, o = real_dtype(), extent(), extent()
    local input = values.shape(random(0, 2))
    input[#input + 1] = k
    return {values.tensor(input, dtype), values.tensor({o, k}, dtype), chance(0.5) and values.tensor({o}, dtype) or nil,
        n = 3}
end

local function dim_of(x)
    return x:dim() > 0 and random(x:dim()) or 1
end

local function size_of(x, d)
    return x:dim() > 0 and x:size(d) or 1
end

local function at_most(shape)
    local sizes = {}
    for d, size in ipairs(shape) do
        sizes[d] = random(0, 4) > 0 and size or random(0, size)
    end
    return sizes
end

function recipes.gather()
    local x = values.tensor()
    local d = dim_of(x)
    local shape = at_most(x:size())
    if #shape > 0 then
        shape[d] = values.size()
    end
    return {x, d, values.positions(shape, size_of(x, d))}
end

function recipes.scatter()
    local args = recipes.gather()
    local x, index = args[1], args[3]
    args[4] = chance(0.7) and values.tensor(index:size(), x.dtype) or chance(0.5) and values.number()
        or values.overlapping(x)
    return args
end
recipes.scatter_add = recipes.scatter

function recipes.index_select()
    local x = values.tensor()
    local d = dim_of(x)
    return {x, d, values.positions(chance(0.9) and {values.size()} or {}, size_of(x, d))}
end

function recipes.index_add()
    local args = recipes.index_select()
    local x, shape = args[1], args[1]:size()
    if x:dim() > 0 then
        shape[args[2]] = args[3]:numel()
    end
    args[4] = chance(0.8) and values.tensor(shape, x.dtype) or values.overlapping(x)
    return args
end

--- A list of index tensors, masks and holes for x.
local function picks(x, masks)
    local list, d, together = {}, 1, chance(0.7) and {values.size()} or values.shape(random(0, 2))
    while d <= x:dim() and (chance(0.7) or d == 1) do
        if chance(0.25) then
            list[#list + 1] = false
        elseif masks and chance(0.3) then
            local n = random(1, math.min(2, x:dim() - d + 1))
            list[#list + 1] = values.mask(table.move(x:size(), d, d + n - 1, 1, {}))
            d = d + n - 1
        else
            list[#list + 1] = chance(0.8) and values.positions(together, x:size(d)) or values.positions({1}, x:size(d))
        end
        d = d + 1
    end
    return list
end

function recipes.index_take()
    local x = values.tensor()
    return {x, picks(x, false)}
end

function recipes.index()
    local x = values.tensor()
    return {x, picks(x, true)}
end

function recipes.index_put()
    local x = values.tensor()
    local list = picks(x, true)
    local ok, picked = pcall(tocha.index, x, list)
    local v = ok and chance(0.7) and values.broadcast(picked:size(), x.dtype) or values.tensor({}, x.dtype)
    return {x, list, chance(0.9) and v or values.overlapping(x), chance(0.4)}
end

function recipes.masked_select()
    local x = values.tensor()
    return {x, values.mask(x:size())}
end

function recipes.masked_fill()
    local x = values.tensor()
    return {x, values.mask(x:size()), chance(0.6) and values.number() or values.tensor({}, x.dtype)}
end

function recipes.where()
    local x = values.tensor()
    return {values.mask(x:size()), x, chance(0.7) and values.broadcast(x:size()) or values.number()}
end

function recipes.embedding()
    local rows = values.some_size()
    return {values.positions(values.shape(random(0, 3)), rows), values.tensor({rows, values.size()}, float_dtype()),
        chance(0.3) and random(-2, rows + 1) or nil, n = 3}
end

function recipes.embedding_backward()
    local rows, shape = values.some_size(), values.shape(random(0, 2))
    local input = values.positions(shape, rows)
    shape[#shape + 1] = values.size()
    return {values.tensor(shape, float_dtype()), input, rows, chance(0.3) and random(-2, rows + 1) or nil, n = 4}
end

for _, name in ipairs {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"} do
    recipes[name] = function()
        local x = values.tensor(nil, pick {"bool", "int64", "int32", "uint8", "int8"})
        local other = chance(0.8) and values.broadcast(x:size(), x.dtype) or random(0, 9)
        return {x, name ~= "bitwise_not" and other or nil}
    end
end

local function reduction()
    return pick {"mean", "mean", "sum", "none"}
end

function recipes.nll_loss()
    local dtype, classes = float_dtype(), values.some_size()
    local shape, rest = {classes}, {}
    if chance(0.8) then
        shape = {values.size(), classes}
        for d = 1, chance(0.6) and 0 or random(2) do
            shape[d + 2] = values.size() % 7
        end
        rest = table.move(shape, 3, #shape, 2, {shape[1]})
    end
    return {values.tensor(shape, dtype), values.positions(rest, classes),
        chance(0.3) and values.tensor({classes}, dtype) or nil, chance(0.7) and -100 or random(0, classes), reduction(),
        n = 5}
end

function recipes.nll_loss_backward()
    local args = recipes.nll_loss()
    local grad = args[5] == "none" and args[2]:size() or {}
    return {values.tensor(grad, args[1].dtype), args[2], args[3], args[1]:size(), args[4], args[5], n = 6}
end

function recipes.cross_entropy()
    local args = recipes.nll_loss()
    if chance(0.3) then
        args[2] = values.tensor(args[1]:size(), args[1].dtype)
    end
    args[6], args.n = chance(0.5) and 0 or random(), 6
    return args
end

--- Lists, in the order of the parameters, of as many tensors of the same shapes.
local function step_lists(n)
    local dtype, lists, count = float_dtype(), {}, random(1, 3)
    for i = 1, n do
        lists[i] = {}
    end
    for k = 1, count do
        local shape = values.shape()
        for i = 1, n do
            lists[i][k] = values.laid_out(shape, dtype)
        end
    end
    return lists, count
end

local function steps_of(count)
    local steps = {}
    for i = 1, count do
        steps[i] = random(1, 3)
    end
    return chance(0.5) and steps or steps[1]
end

function recipes.sgd_step()
    local momentum = chance(0.6) and 0.9 or 0
    local lists, count = step_lists(3)
    return {lists[1], lists[2], momentum > 0 and lists[3] or nil, 0.1, momentum, chance(0.5) and 0 or 0.1,
        chance(0.5) and 0 or 0.01, chance(0.2), chance(0.3), steps_of(count), n = 10}
end

function recipes.adam_step()
    local lists, count = step_lists(5)
    return {lists[1], lists[2], lists[3], lists[4], chance(0.4) and lists[5] or nil, steps_of(count), n = 6}
end

function recipes.amp_unscale()
    local grads = {}
    for k = 1, random(0, 3) do
        grads[k] = values.tensor(nil, float_dtype())
    end
    return {values.laid_out({1}, "float32"), grads, random(), n = 3}
end

local function backward_pair()
    local shape, dtype = values.shape(), float_dtype()
    return values.tensor(shape, dtype), values.tensor(shape, dtype)
end

for _, name in ipairs {"softmax_backward", "log_softmax_backward"} do
    recipes[name] = function()
        local a, b = backward_pair()
        return {a, b, dim_of(a)}
    end
end

for _, name in ipairs {"tanh_backward", "sigmoid_backward", "relu_backward", "mse_loss", "l1_loss"} do
    recipes[name] = function() return {backward_pair()} end
end

function recipes.cat()
    local shape, dtype, list = values.shape(random(1, 3)), values.dtype(), {}
    local d = random(#shape)
    for i = 1, chance(0.1) and 30 or random(4) do
        local own = table.move(shape, 1, #shape, 1, {})
        own[d] = values.size()
        list[i] = chance(0.05) and values.tensor({0}) or values.tensor(own, chance(0.8) and dtype or nil)
    end
    return {list, d}
end

function recipes.stack()
    local shape, dtype, list = values.shape(random(0, 3)), values.dtype(), {}
    for i = 1, chance(0.1) and 35 or random(4) do
        list[i] = values.tensor(shape, dtype)
    end
    return {list, random(#shape + 1)}
end

--- Sizes with the elements of x: some order of factors, at times with a -1.
local function resized(x)
    local sizes, rest = {}, x:numel()
    for _ = 1, random(0, 3) do
        local f = pick {1, 2, 3, 4, 5, 7}
        if rest % f == 0 then
            sizes[#sizes + 1], rest = f, rest // f
        end
    end
    table.insert(sizes, random(#sizes + 1), rest)
    if chance(0.3) then
        sizes[random(#sizes)] = -1
    end
    return sizes
end

function recipes.view()
    local x = values.tensor()
    return {x, resized(x)}
end
recipes.reshape = recipes.view

function recipes.permute()
    local x, order = values.tensor(), {}
    for d = 1, x:dim() do
        table.insert(order, random(d), d)
    end
    return {x, order}
end

function recipes.expand()
    local x = values.tensor()
    local sizes = x:size()
    for d, size in ipairs(sizes) do
        sizes[d] = size == 1 and values.size() or chance(0.3) and -1 or size
    end
    if #sizes < 7 and chance(0.3) then
        table.insert(sizes, 1, random(0, 3))
    end
    return {x, sizes}
end

function recipes.sum_to_size()
    local x = values.tensor()
    local sizes = table.move(x:size(), random(1, math.max(x:dim(), 1)), x:dim(), 1, {})
    for d in ipairs(sizes) do
        sizes[d] = chance(0.5) and 1 or sizes[d]
    end
    return {x, sizes}
end

function recipes.as_strided()
    local x, size, stride = values.tensor(), {}, {}
    for d = 1, random(0, 4) do
        size[d], stride[d] = values.size(), random(0, 5)
    end
    return {x, size, stride, chance(0.5) and random(0, 4) or nil, n = 4}
end

function recipes.as_strided_scatter()
    local x, size = values.tensor(), {}
    for d = 1, random(0, 3) do
        size[d] = random(0, 3)
    end
    local stride, step = {}, random(2)
    for d = #size, 1, -1 do
        stride[d] = step
        step = step * math.max(size[d], 1)
    end
    return {x, values.tensor(size, x.dtype), size, stride, random(0, 3)}
end

function recipes.as_strided_like()
    local x = values.tensor()
    local other = values.plain(x:size(), "int8")
    return {x, x:size(), x:dim() > 1 and chance(0.5) and other:transpose(1, 2):contiguous():transpose(1, 2):stride()
        or other:stride()}
end

function recipes.slice_scatter()
    local x = values.tensor(values.shape(random(1, 3)))
    local d = dim_of(x)
    local first, step = random(1, math.max(1, x:size(d))), random(2)
    local last = random(first - 1, math.max(first - 1, x:size(d)))
    local ok, window = pcall(x.slice, x, d, first, last, step)
    return {x, values.tensor(ok and window:size() or x:size(), x.dtype), d, first, last, step}
end

function recipes.narrow()
    local x = values.tensor()
    local d = dim_of(x)
    local first = random(1, math.max(1, size_of(x, d)))
    return {x, d, first, random(0, math.max(0, size_of(x, d) - first + 1))}
end

function recipes.select()
    local x = values.tensor()
    local d = dim_of(x)
    return {x, d, random(-1, size_of(x, d))}
end

function recipes.slice()
    local x = values.tensor()
    local d = dim_of(x)
    local first = random(1, size_of(x, d) + 1)
    return {x, d, first, chance(0.7) and math.max(first - 1, random(0, size_of(x, d))) or -1, random(1, 3)}
end

return recipes
