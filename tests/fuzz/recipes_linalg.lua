--- Arguments as in recipes.lua, for linear algebra, sorting and statistics.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function float_dtype()
    return chance(0.5) and "float64" or pick {"float32", "float32", "float16", "complex64", "complex128"}
end

--- Batch dims, mostly none.
local function batch()
    return chance(0.7) and {} or chance(0.7) and {random(0, 3)} or {random(0, 2), random(1, 2)}
end

local function matrix(rows, columns, dtype, lead)
    local shape = table.move(lead, 1, #lead, 1, {})
    shape[#shape + 1], shape[#shape + 2] = rows, columns
    return values.tensor(shape, dtype)
end

--- A square matrix or a batch of them: any, singular, symmetric, positive definite, or with nan and inf.
local function square(n, dtype, lead)
    local a = matrix(n or values.size() % 9, n or 0, dtype or float_dtype(), lead or batch())
    if not n then
        a = matrix(a:size(-2), a:size(-2), a.dtype, lead or batch())
    end
    local kind = random(6)
    if kind == 1 then
        return a * 0
    elseif kind == 2 then
        return a + a.T:permute(a:dim() == 2 and {1, 2} or a:dim() == 3 and {3, 1, 2} or {4, 3, 1, 2})
    elseif kind == 3 then
        return a:matmul(a:transpose(-2, -1)) + tocha.eye(a:size(-1), {dtype = a.dtype})
    end
    return a
end

local function safe_square(...)
    local ok, a = pcall(square, ...)
    return ok and a or values.tensor({3, 3}, "float64")
end

for _, name in ipairs {"linalg_inv", "linalg_det", "linalg_cofactor", "linalg_slogdet", "linalg_eig", "linalg_eigvals",
    "linalg_matrix_exp", "det", "logdet", "slogdet", "inverse", "matrix_exp", "trace"} do
    recipes[name] = function() return {safe_square()} end
end

local function with(...)
    local words = {...}
    return function() return {safe_square(), pick(words)} end
end

recipes.linalg_inv_ex = with(true, false)
recipes.linalg_cholesky = with(true, false)
recipes.linalg_eigh = with("L", "U", "l", "X")
recipes.linalg_eigvalsh = recipes.linalg_eigh
recipes.linalg_matrix_power = with(-3, -1, 0, 1, 2, 5, 30, math.maxinteger, math.mininteger)
recipes.matrix_power = recipes.linalg_matrix_power
recipes.linalg_cond = with(2, -2, 1, -1, 1 / 0, -1 / 0, "fro", "nuc", 3, 0 / 0)

--- One of them is small: they have as many elements as the product says.
function recipes.kron()
    local a, b = values.tensor(), values.tensor(values.shape(random(0, 1)))
    if chance(0.5) then
        a, b = b, a
    end
    return {a, b}
end

local function any_matrix()
    return matrix(values.size() % 12, values.size() % 12, float_dtype(), batch())
end

local function rectangular(...)
    local words = {...}
    return function() return {any_matrix(), pick(words)} end
end

recipes.linalg_qr = rectangular("reduced", "complete", "r", "x")
recipes.linalg_svd = rectangular(true, false)
recipes.linalg_svdvals = function() return {any_matrix()} end
recipes.linalg_pinv = rectangular(1e-3, 0, -1, 0 / 0, 1 / 0)
recipes.pinv_batched = recipes.linalg_pinv
recipes.pinverse = recipes.linalg_pinv
recipes.linalg_matrix_rank = recipes.linalg_pinv
recipes.linalg_matrix_norm = rectangular("fro", "nuc", 1, -1, 2, -2, 1 / 0, -1 / 0, 3, "x")
recipes.linalg_norm = recipes.linalg_matrix_norm
recipes.norm = rectangular("fro", "nuc", 0, 1, 2, 0.5, -1, 1 / 0, -1 / 0, 0 / 0)
recipes.linalg_vector_norm = rectangular(0, 1, 2, 0.5, -1, 1 / 0, -1 / 0, 0 / 0)

local function system(rows, columns)
    local dtype, lead = float_dtype(), batch()
    return matrix(rows, columns, dtype, lead), matrix(rows, values.size() % 5, dtype, chance(0.8) and lead or {}), dtype
end

function recipes.linalg_solve()
    local n = values.size() % 9
    local a, b, dtype = system(n, n)
    return {a, chance(0.7) and b or values.tensor({n}, dtype), chance(0.7)}
end

function recipes.solve_batched()
    local n, dtype, lead = values.size() % 9, float_dtype(), batch()
    return {matrix(n, n, dtype, lead), matrix(n, values.size() % 5, dtype, lead)}
end

function recipes.linalg_solve_triangular()
    local n = values.size() % 9
    local a, b = system(n, n)
    return {a, b, chance(0.5), chance(0.7), chance(0.5)}
end

function recipes.solve_triangular_batched()
    local n = values.size() % 9
    local a, b = system(n, n)
    return {a, b, chance(0.5), chance(0.5)}
end

function recipes.linalg_lstsq()
    local a, b = system(values.size() % 9, values.size() % 9)
    return {a, b, chance(0.5) and 1e-6 or nil, pick {"gels", "gelsy", "gelsd", "gelss", "x"}, n = 4}
end

function recipes.lstsq_batched()
    local a, b = system(values.size() % 9, values.size() % 9)
    return {a, b, 1e-6, chance(0.5)}
end

function recipes.linalg_multi_dot()
    local list, size, dtype = {}, random(0, 6), float_dtype()
    for i = 1, random(5) do
        local following = random(0, 6)
        list[i], size = values.tensor({size, following}, dtype), following
    end
    return {list}
end

local equations = {"ij,jk->ik", "ij,jk", "bij,bjk->bik", "ii->i", "ii", "ij->ji", "ij->", "i,j->ij", "i,i", "ij,ij->i",
    "...ij,...jk->...ik", "abc,cd,de->abe", "i...->...", "ijk->kij", "", "->", ",", "ij,,->", "aa,ab->b", "i j -> j i"}

function recipes.einsum()
    local equation, list, sizes = pick(equations), {}, {}
    for part in (equation:match "^(.-)%->" or equation):gmatch "[^,]+" do
        local shape = {}
        for letter in part:gmatch "%S" do
            sizes[letter] = sizes[letter] or values.size() % 5
            if letter ~= "." or chance(0.5) then
                shape[#shape + 1] = chance(0.97) and sizes[letter] or random(0, 4)
            end
        end
        list[#list + 1] = values.tensor(shape, chance(0.9) and "float32" or nil)
    end
    return {equation, list}
end

local function factors()
    return chance(0.6) and 1 or values.number(), chance(0.6) and 1 or values.number()
end

function recipes.addmv()
    local n, k, dtype = values.size(), values.size(), float_dtype()
    local bias = pick {{n}, {1}, {}}
    return {values.tensor(bias, dtype), values.tensor({n, k}, dtype), values.tensor({k}, dtype), factors()}
end

function recipes.addr()
    local n, m, dtype = values.size(), values.size(), float_dtype()
    local bias = pick {{n, m}, {m}, {}}
    return {values.tensor(bias, dtype), values.tensor({n}, dtype), values.tensor({m}, dtype), factors()}
end

function recipes.baddbmm()
    local b, n, k, m, dtype = random(0, 3), values.size(), values.size(), values.size(), float_dtype()
    return {values.tensor(pick {{b, n, m}, {n, m}, {m}}, dtype), values.tensor({b, n, k}, dtype),
        values.tensor({b, k, m}, dtype), factors()}
end
recipes.addbmm = recipes.baddbmm

function recipes.clamp()
    local low = chance(0.7) and random(-3, 0) or values.number()
    return {values.tensor(), chance(0.8) and low or nil, chance(0.8) and random(0, 4) or nil, n = 3}
end

function recipes.tensordot()
    local k, dtype = random(0, 4), float_dtype()
    return {values.tensor({2, k, 3}, dtype), values.tensor({k, 3, 2}, dtype), chance(0.6) and {2, 3} or random(0, 3),
        chance(0.6) and {1, 2} or nil, n = 4}
end

function recipes.linalg_cross()
    local shape = values.shape(random(0, 2))
    table.insert(shape, random(#shape + 1), 3)
    return {values.tensor(shape, "float32"), values.tensor(shape, "float32")}
end

function recipes.cdist()
    local dtype, m, lead = float_dtype(), random(0, 5), batch()
    local p = pick {0, 1, 2, 1.5, 1 / 0, -1, 0 / 0}
    return {matrix(random(0, 6), m, dtype, lead), matrix(random(0, 6), m, dtype, lead), p}
end

recipes.cross = recipes.linalg_cross

--- A tensor, a number within (mostly) its last dim, and that dim.
local function within(x)
    local d = x:dim() > 0 and random(x:dim()) or 1
    local size = x:dim() > 0 and x:size(d) or 1
    return {x, random(0, size + 1), d}
end

function recipes.topk()
    local args = within(values.tensor())
    args[4], args[5] = chance(0.5), chance(0.5)
    return args
end

function recipes.kthvalue()
    return within(values.tensor())
end

local interpolations = {"linear", "lower", "higher", "midpoint", "nearest", "x"}

function recipes.quantile()
    local x = values.tensor(nil, chance(0.8) and "float32" or nil)
    local q = chance(0.5) and pick {0, 0.5, 1, 2, -1, 0 / 0} or tocha.rand(values.size() % 5)
    return {x, q, chance(0.5) and x:dim() > 0 and random(x:dim()) or nil, chance(0.5), pick(interpolations), n = 5}
end
recipes.nanquantile = recipes.quantile

function recipes.searchsorted()
    local dtype, n, lead = pick {"float32", "int64", "float16", "uint8"}, values.size(), batch()
    local sizes, wanted = table.move(lead, 1, #lead, 1, {}), table.move(lead, 1, #lead, 1, {})
    sizes[#sizes + 1], wanted[#wanted + 1] = n, values.size()
    local sorted = values.tensor(sizes, dtype)
    local sorter = chance(0.2) and values.positions(sizes, n) or nil
    sorted = chance(0.7) and (sorted:sort()) or sorted
    return {sorted, chance(0.7) and values.tensor(wanted, dtype) or values.number(), sorter, chance(0.3),
        chance(0.3) and pick {"left", "right", "x"} or nil, chance(0.3), n = 6}
end

function recipes.bucketize()
    return {values.tensor(nil, "float32"), values.tensor({values.size()}, "float32"), chance(0.3), chance(0.3)}
end

function recipes.bincount()
    local x = chance(0.9) and tocha.randint(1, random(9), {values.size()}) or values.tensor({values.size()}, "int64")
    return {x, chance(0.4) and values.tensor(x:size(), "float32") or nil, random(-1, 12), n = 3}
end

function recipes.histc()
    local bins = chance(0.8) and random(0, 9) or values.integer()
    return {values.tensor(nil, float_dtype()), bins, values.float(), values.float()}
end

function recipes.rot90()
    return {values.tensor(values.shape(random(1, 3))), values.integer(), chance(0.5) and {1, 2} or nil, n = 3}
end

local function times()
    local list = {}
    for d = 1, random(0, 4) do
        list[d] = random(0, 3)
    end
    return list
end

recipes["repeat"] = function() return {values.tensor(values.shape(random(0, 3))), times()} end
recipes.tile = recipes["repeat"]

function recipes.repeat_interleave()
    local x = values.tensor()
    local d = x:dim() > 0 and random(x:dim()) or nil
    local size = d and x:size(d) or x:numel()
    local counts = chance(0.5) and random(-1, 4) or tocha.randint(0, 3, {chance(0.9) and size or values.size()})
    return {x, counts, d, chance(0.2) and values.integer() or nil, n = 4}
end

function recipes.roll()
    local x = values.tensor()
    local shifts = chance(0.5) and values.integer() or {values.integer(), random(-9, 9)}
    return {x, shifts, chance(0.5) and {1, 2} or nil, n = 3}
end

local function parts(rank)
    local list, shape = {}, values.shape(random(rank))
    for i = 1, random(4) do
        list[i] = values.tensor(shape, chance(0.8) and "float32" or nil)
    end
    return {list}
end

for _, name in ipairs {"hstack", "vstack", "dstack", "column_stack"} do
    recipes[name] = function() return parts(3) end
end

function recipes.take_along_dim()
    local x = values.tensor()
    local d = x:dim() > 0 and random(x:dim()) or 1
    local shape = x:size()
    if #shape > 0 then
        shape[d] = values.size()
    end
    return {x, values.positions(shape, x:dim() > 0 and x:size(d) or 1), d}
end

return recipes
