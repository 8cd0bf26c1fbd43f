--- Arguments as in recipes.lua, for packed factorisations.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function batch()
    return chance(0.7) and {} or {random(0, 3)}
end

local function tensor(lead, ...)
    local shape = table.move(lead, 1, #lead, 1, {})
    for _, size in ipairs {...} do
        shape[#shape + 1] = size
    end
    return values.tensor(shape, chance(0.5) and "float64" or pick {"float32", "complex64", "complex128"})
end

local function size() return values.size() % 8 end

local function pivots(lead, count, rows)
    local shape = table.move(lead, 1, #lead, 1, {})
    shape[#shape + 1] = count
    return values.positions(shape, rows)
end

local function any_matrix(...)
    local flags = {...}
    return function()
        local args = {tensor(batch(), size(), size()), n = 1}
        for i, words in ipairs(flags) do
            args[i + 1], args.n = pick(words), i + 1
        end
        return args
    end
end

local function square(...)
    local make = any_matrix(...)
    return function()
        local args, n = make(), size()
        args[1] = tensor(batch(), n, n)
        return args
    end
end

local truth = {true, false}

recipes.linalg_lu_factor_ex = any_matrix(truth, truth)
recipes.linalg_lu_factor = any_matrix(truth)
recipes.linalg_lu = any_matrix(truth)
recipes.lu = any_matrix(truth, truth)
recipes.geqrf = any_matrix()
recipes.svd = any_matrix(truth, truth)
recipes.svd_lowrank = any_matrix({0, 1, 2, 3, -1, 9}, {0, 1, 2, -1, math.maxinteger})
recipes.pca_lowrank = any_matrix({0, 1, 2, 3, -1, 9}, truth, {0, 1, 2, -1})
recipes.linalg_polar = any_matrix()
recipes.linalg_cholesky_ex = square(truth, truth)
recipes.cholesky_inverse = square(truth)
recipes.linalg_ldl_factor_ex = square(truth, truth)
recipes.linalg_ldl_factor = square(truth)
recipes.linalg_matrix_sqrth = square()

function recipes.lu_order()
    local rows = size()
    return {pivots(batch(), random(0, rows), rows), chance(0.9) and rows or values.integer()}
end

function recipes.lu_unpack()
    local lead, m, n = batch(), size(), size()
    return {tensor(lead, m, n), pivots(lead, math.min(m, n), m), chance(0.5), chance(0.5)}
end

function recipes.linalg_lu_solve()
    local lead, n, k = batch(), size(), size()
    return {tensor(lead, n, n), pivots(lead, n, n), tensor(lead, n, k), chance(0.8), chance(0.5)}
end

function recipes.lu_solve()
    local args = recipes.linalg_lu_solve()
    return {args[3], args[1], args[2]}
end

function recipes.linalg_ldl_solve()
    local lead, n = batch(), size()
    local where = pivots(lead, n, n)
    if chance(0.3) and n % 2 == 0 then
        where = where * 0 - 1
    end
    return {tensor(lead, n, n), where, tensor(lead, n, size())}
end

function recipes.linalg_solve_ex()
    local lead, n = batch(), size()
    local b = chance(0.3) and tensor(lead, n) or tensor(lead, n, size())
    return {tensor(lead, n, n), b, chance(0.8), chance(0.5)}
end

function recipes.cholesky_solve()
    local lead, n = batch(), size()
    return {tensor(lead, n, size()), tensor(lead, n, n), chance(0.5)}
end

function recipes.triangular_solve()
    local args = recipes.cholesky_solve()
    args[4], args[5] = chance(0.5), chance(0.5)
    return args
end

function recipes.linalg_householder_product()
    local lead, m = batch(), size()
    local n = random(0, m)
    return {tensor(lead, m, n), tensor(lead, random(0, n))}
end

recipes.orgqr = recipes.linalg_householder_product

function recipes.ormqr()
    local lead, m, c, left = batch(), size(), size(), chance(0.5)
    local n = random(0, m)
    return {tensor(lead, m, n), tensor(lead, random(0, n)), left and tensor(lead, m, c) or tensor(lead, c, m), left,
        chance(0.5)}
end

function recipes.linalg_vander()
    return {values.tensor(), chance(0.5) and random(-1, 9) or nil, n = 2}
end

function recipes.vander()
    return {values.tensor(values.shape(1)), chance(0.5) and random(-1, 9) or nil, chance(0.5), n = 3}
end

function recipes.linalg_tensorinv()
    local n = size()
    local shapes = {{n, n}, {n, n, 1}, {2, 2, 4}, {2, 3, 3, 2}}
    return {values.tensor(pick(shapes), "float64"), random(0, 3)}
end

function recipes.linalg_tensorsolve()
    local a, b = tensor({}, 2, 2, 4), tensor({}, 2, 2)
    return {a, chance(0.8) and b or values.tensor(), chance(0.5) and {random(3)} or nil, n = 3}
end

function recipes.linalg_vecdot()
    local x = values.tensor()
    return {x, values.broadcast(x:size(), x.dtype), random(-3, 3)}
end

for name in pairs(recipes) do
    assert(tocha[name], name)
end

return recipes
