--- Positional arguments for operators that write at positions, and for views with sizes that must fit.

local tocha = require "tocha"
local common = require "tests.fuzz.recipes"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function join(kinds)
    return function(args)
        args[5], args[6] = pick(kinds), chance(0.5)
        args.n = chance(0.5) and 5 or 6
        return args
    end
end

local joined = join {"sum", "prod", "mean", "amax", "amin"}

function recipes.scatter_reduce() return joined(common.scatter()) end
function recipes.index_reduce() return joined(common.index_add()) end
recipes.index_copy = common.index_add

function recipes.scatter_join()
    local args = joined(common.scatter())
    args.n = 5
    return args
end

function recipes.index_fill()
    local args = common.index_select()
    args[4] = chance(0.5) and values.number() or values.tensor({}, args[1].dtype)
    return args
end

function recipes.take()
    local x = values.tensor()
    return {x, values.positions(values.shape(random(0, 3)), x:numel())}
end

function recipes.put()
    local args = recipes.take()
    local x, index = args[1], args[2]
    args[3] = chance(0.8) and values.tensor({index:numel()}, x.dtype) or values.overlapping(x)
    args[4] = chance(0.5)
    return args
end

function recipes.masked_scatter()
    local x = values.tensor()
    return {x, values.mask(x:size()), chance(0.8) and values.tensor(x:size(), x.dtype) or values.overlapping(x)}
end

function recipes.unfold()
    local x = values.tensor()
    local d = random(math.max(x:dim(), 1))
    return {x, d, random(0, x:dim() > 0 and x:size(d) or 1), random(1, 3)}
end

function recipes.unflatten()
    local x = values.tensor(values.shape(random(1, 4)))
    local d = random(x:dim())
    local f = pick {1, 2, 3, 4}
    return {x, d, x:size(d) % f == 0 and {f, chance(0.5) and -1 or x:size(d) // f} or {x:size(d), 1}}
end

function recipes.view_as()
    local x = values.tensor()
    return {x, chance(0.7) and x:detach():reshape(-1) or values.overlapping(x)}
end
recipes.reshape_as, recipes.expand_as, recipes.type_as = recipes.view_as, recipes.view_as, recipes.view_as

function recipes.select_scatter()
    local x = values.tensor(values.shape(random(1, 3)))
    local d = random(x:dim())
    local ok, window = pcall(x.select, x, d, 1)
    return {x, values.tensor(ok and window:size() or {}, x.dtype), d, random(-1, math.max(1, x:size(d)))}
end

function recipes.diagonal_scatter()
    local x, offset = values.tensor(values.shape(random(2, 3))), random(-2, 2)
    local ok, window = pcall(tocha.diagonal, x, offset)
    return {x, values.tensor(ok and window:size() or {}, x.dtype), offset}
end

function recipes.broadcast_to()
    return common.expand()
end

function recipes.block_diag()
    local list = {}
    for i = 1, random(4) do
        list[i] = values.tensor(values.shape(random(0, 2)))
    end
    return {list}
end

function recipes.diagflat()
    return {values.tensor({values.size(), random(0, 3)}), chance(0.5) and random(-3, 3) or nil, n = 2}
end

function recipes.bincount_static()
    local n = random(0, 9)
    return {values.positions({values.size()}, math.max(n, 1)), n}
end

function recipes.multinomial()
    local x = values.tensor(chance(0.7) and {values.size(), values.some_size()} or {values.some_size()}, "float32")
    return {chance(0.8) and x:detach():abs() or x, random(1, 4), chance(0.6)}
end

function recipes.poisson()
    return {values.tensor(nil, chance(0.5) and "float32" or "float16"):abs()}
end

function recipes.bernoulli()
    local x = values.tensor(nil, "float32")
    return chance(0.5) and {x:sigmoid()} or {x, chance(0.5) and random() or x:detach():sigmoid()}
end

function recipes.one_hot()
    local n = random(6)
    return {values.positions(values.shape(random(0, 3)), n), chance(0.7) and n or -1}
end

function recipes.combinations()
    return {values.tensor({random(0, 6)}), random(0, 4), chance(0.5)}
end

function recipes.combination_positions()
    return {random(-1, 8), random(-1, 5), chance(0.5)}
end

function recipes.cartesian_prod()
    local list, dtype = {}, values.dtype()
    for i = 1, random(3) do
        list[i] = values.tensor({values.size() % 9}, dtype)
    end
    return {list}
end

function recipes.empty_strided()
    local size, stride = values.shape(random(0, 4)), {}
    for d in ipairs(size) do
        stride[d] = random(0, 40)
    end
    return {size, stride}
end

return recipes
