--- Arguments as in recipes.lua, for statistics of several variables.

local tocha = require "tocha"
local values = require "tests.fuzz.values"

local random, chance, pick = math.random, values.chance, values.pick

local recipes = {}

local function wide() return chance(0.5) and "float64" or "float32" end

function recipes.cov()
    local x = values.tensor(values.shape(random(0, 2)), wide())
    local n = x:dim() == 2 and x:size(2) or x:numel()
    local counts = chance(0.4) and tocha.randint(1, 4, {n}) or nil
    return {x, random(-1, 3), counts, chance(0.4) and values.tensor({n}, x.dtype) or nil, n = 4}
end

function recipes.corrcoef() return {values.tensor(values.shape(random(0, 2)), wide())} end

function recipes.renorm()
    local x = values.tensor(values.shape(random(2, 3)))
    return {x, pick {1, 2, 3, 0.5, 0, -1, 1 / 0}, random(2), pick {0, 1, 2.5, -1}}
end

function recipes.histogram()
    local x = values.tensor(nil, wide())
    local weight = chance(0.3) and values.tensor(x:size(), x.dtype) or nil
    if chance(0.4) then
        return {x, (tocha.sort(values.tensor({random(6)}, x.dtype))), nil, weight, chance(0.5), n = 5}
    end
    local bins = chance(0.8) and random(0, 9) or values.integer()
    return {x, bins, chance(0.5) and tocha.tensor {-random(3), random(0, 3)} or nil, weight, chance(0.5), n = 5}
end

return recipes
