--- Matrices of known kinds as literal tensors of samples; the last two sizes are the matrix, those before the batch.

local values = require "tests.harness.values"

local matrices = {}

local literal = values.literal

local function element(seed, i, j)
    return ((7 * i + 13 * j * j + 5 * seed + 3 * i * j) % 17 - 8) / 8.0
end

--- A literal of shape (..., rows, columns) whose element is f(seed, i, j); each matrix has a seed of its own.
local function build(f, shape, depth, seed)
    depth, seed = depth or 1, seed or 1
    local list = {}
    for k = 1, shape[depth] do
        if depth == #shape - 1 then
            list[k] = {}
            for j = 1, shape[depth + 1] do
                list[k][j] = f(seed, k, j)
            end
        else
            list[k] = build(f, shape, depth + 1, seed * 3 + k)
        end
    end
    return list
end

--- The literal of real(seed, i, j), whose complex elements have the imaginary parts imag(seed, i, j).
local function matrix(shape, real, imag)
    local list = {}
    local function flatten(nested)
        if type(nested) ~= "table" then
            list[#list + 1] = nested
            return
        end
        for _, item in ipairs(nested) do
            flatten(item)
        end
    end
    flatten(build(imag, shape))
    return literal(build(real, shape), {imag = list})
end

local function small(seed, i, j)
    return element(seed + 1, j, i) * 0.5
end

--- Matrices with a small condition number.
function matrices.regular(...)
    return matrix({...}, function(seed, i, j)
        return element(seed, i, j) + (i == j and 2.5 + 0.75 * i or 0)
    end, small)
end

--- Matrices whose columns differ in length, in no special position to each other.
function matrices.any(...)
    return matrix({...}, function(seed, i, j)
        return element(seed, i, j) + (i == j and 1.5 * i or 0)
    end, small)
end

--- Symmetric positive definite matrices; complex ones are equal to their adjoints.
function matrices.definite(...)
    return matrix({...}, function(seed, i, j)
        return element(seed, i, j) + element(seed, j, i) + (i == j and 6.0 + i or 0)
    end, function(seed, i, j)
        return (element(seed, i, j) - element(seed, j, i)) * 0.25
    end)
end

--- Upper triangular matrices: real eigenvalues.
function matrices.upper(...)
    return matrix({...}, function(seed, i, j)
        return i == j and 1.5 * i or i < j and element(seed, i, j) or 0.0
    end, function(seed, i, j)
        return i <= j and small(seed, i, j) or 0.0
    end)
end

return matrices
