--- Arguments for operators, from their signatures: mostly such as an operator takes, so that calls get far.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local arguments = {}

local recipes = {}
for _, file in ipairs {
    "recipes",
    "recipes_analysis",
    "recipes_factor",
    "recipes_image",
    "recipes_linalg",
    "recipes_maths",
    "recipes_neural",
    "recipes_positions",
} do
    for name, recipe in pairs(require("tests.fuzz." .. file)) do
        recipes[name] = recipe
    end
end

local random, chance, pick = math.random, values.chance, values.pick

local reductions = {"mean", "mean", "sum", "none", "fro", "U"}

--- Generators by the type a signature names; context: first, the call's first tensor, and inplace.
local by_type = {}

function by_type.Tensor(context)
    local first = context.first
    if not first then
        return values.tensor()
    elseif chance(0.12) then
        return values.overlapping(first)
    elseif chance(0.15) then
        return values.number()
    elseif chance(0.1) then
        return values.tensor()
    end
    return values.broadcast(first:size(), chance(0.7) and first.dtype or nil)
end

local function rank(context)
    return context.first and context.first:dim() or 3
end

function by_type.Index(context)
    return values.positions(values.shape(), context.first and context.first:numel() or 5)
end

function by_type.Mask(context)
    return values.mask(context.first and context.first:size() or values.shape())
end

function by_type.dim(context)
    local n = math.max(1, rank(context))
    return chance(0.85) and random(n) or random(-n - 1, n + 1)
end

function by_type.newdim(context)
    return random(-rank(context) - 1, rank(context) + 1)
end

function by_type.dims(context)
    if chance(0.5) then
        return by_type.dim(context)
    end
    local list = {}
    for d = 1, rank(context) do
        list[#list + 1] = chance(0.6) and d or nil
    end
    return list
end

function by_type.shape() return values.shape() end
function by_type.int() return values.integer() end
function by_type.pos() return values.integer() end
function by_type.float() return chance(0.5) and random() or values.float() end
function by_type.number() return values.number() end
function by_type.scalar() return chance(0.2) and tocha.complex(random(), random()) or values.number() end
function by_type.bool() return chance(0.5) end
function by_type.string() return pick(reductions) end
function by_type.dtype() return pick(values.dtypes) end
function by_type.device() return chance(0.9) and "cpu" or pick {"cuda", "cuda:1", "cpu:1", "gpu", ""} end
function by_type.generator() return chance(0.8) and tocha.Generator() or values.junk() end
function by_type.Tensors() return {values.tensor(), values.tensor()} end
function by_type.Indices(context) return {by_type.Index(context)} end
function by_type.floats() return chance(0.5) and values.float() or {values.float(), values.float()} end
function by_type.ints() return chance(0.5) and random(3) or {random(3), random(3)} end
function by_type.floats() return {values.float(), values.float()} end

local function from_signature(parameters)
    local context, args = {}, {n = #parameters}
    for i, parameter in ipairs(parameters) do
        if not parameter.optional or chance(0.4) then
            args[i] = by_type[parameter.kind](context)
        elseif chance(0.5) then
            args.n = i - 1
            break
        end
        if not context.first and tocha.is_tensor(args[i]) then
            context.first = args[i]
        end
    end
    return args
end

--- Arguments {..., n = count} for an operator of the table, given its parsed signature.
function arguments.make(op, parameters)
    local recipe = recipes[op.public_name]
    local args = recipe and chance(0.85) and recipe() or from_signature(parameters)
    args.n = args.n or #args
    return args
end

local function is_short_list(v)
    return type(v) == "table" and rawlen(v) > 0 and rawlen(v) < 100 and rawget(v, 1) ~= nil
end

local mutations = {
    function(args) args[random(args.n)] = values.junk() end,
    function(args) args[random(args.n)] = values.junk() end,
    function(args) args[random(args.n)] = values.junk() end,
    function(args) args[random(args.n)] = values.tensor() end,
    function(args) args[random(args.n)] = values.integer() end,
    function(args) args.n = random(0, args.n - 1) end,
    function(args) args.n = args.n + 1; args[args.n] = values.junk() end,
    function(args) args.n = args.n + 30; args[args.n] = values.junk() end,
    function(args)
        local i, j = random(args.n), random(args.n)
        args[i], args[j] = args[j], args[i]
    end,
    function(args)
        local i = random(args.n)
        if is_short_list(args[i]) then
            args[i] = table.move(args[i], 1, #args[i], 1, {})
            args[i][random(#args[i])] = values.junk()
        end
    end,
    function(args)
        local i = random(args.n)
        if is_short_list(args[i]) then
            args[i] = table.move(args[i], 1, #args[i], 1, {})
            args[i][random(#args[i])] = values.integer()
        end
    end,
}

--- Spoils arguments in one or two ways.
function arguments.spoil(args)
    for _ = 1, chance(0.8) and 1 or 2 do
        if args.n > 0 then
            pick(mutations)(args)
        end
    end
end

--- Operators whose results grow so fast with a number that a machine of some memory spends minutes on them, though
--- they refuse what does not fit: the position of the number, and the most that is tried short of absurd ones.
local steep = {combination_positions = {1, 40}}

--- Keeps spoiled arguments from asking for much work that is in order.
function arguments.lighten(op, args)
    local at, most = table.unpack(steep[op.name] or {})
    if at and math.type(args[at]) == "integer" and args[at] > most and args[at] < 1 << 20 then
        args[at] = most
    end
end

local function tracked(v)
    if tocha.is_tensor(v) and pcall(v.dim, v) and v:is_floating_point() and not v.requires_grad then
        local leaf = v:detach():requires_grad_()
        return chance(0.5) and leaf or leaf * 1
    elseif is_short_list(v) and tocha.is_tensor(v[1]) then
        local list = {}
        for i = 1, rawlen(v) do
            list[i] = tracked(v[i])
        end
        return list
    end
    return v
end

--- Lets all floating-point tensors need a gradient.
function arguments.track(args)
    for i = 1, args.n do
        args[i] = tracked(args[i])
    end
end

--- Moves trailing arguments into a table of options, {dim = 1}; at times with a wrong or repeated name in it.
function arguments.name_some(args, parameters)
    local from = random(math.max(1, args.n))
    if args.n < 1 or args.n > #parameters then
        return
    end
    local options = {}
    for i = from, args.n do
        options[parameters[i].name] = args[i]
        args[i] = nil
    end
    if chance(0.1) then
        options[pick {"dim", "bogus", "input", "a\0b", "dtype", ""}] = values.junk()
    end
    args[from], args.n = options, from
end

return arguments
