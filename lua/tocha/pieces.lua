--- What gives as many results as its arguments say: the ways to cut a tensor into pieces, and unique.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local pieces = {}

local describe, read = options.describe, options.arguments

--- The most pieces of one call: a list of more would fill the memory.
local MOST_PIECES = 1 << 20

local function check_tensor(name, x)
    if options.tensor(name, "input", x):dim() == 0 then
        raise("%s: input must have at least one dim, got a scalar", name)
    end
end

local function check_dim(name, x, dim)
    local n = x:dim()
    local d = type(dim) == "number" and math.tointeger(dim)
    if not d or d == 0 or d > n or d < -n then
        raise("%s: dim must be an integer in [-%d, %d] (%d dim%s), got %s", name, n, n, n, n == 1 and "" or "s",
            describe(dim))
    end
    return d < 0 and d + n + 1 or d
end

local function check_count(name, what, value, least)
    local n = type(value) == "number" and math.tointeger(value)
    if not n or n < least then
        raise("%s: %s must be a whole number from %d, got %s", name, what, least, describe(value))
    end
    return n
end

local function check_pieces(name, what, value)
    local n = check_count(name, what, value, 1)
    if n > MOST_PIECES then
        raise("%s: %s must be at most %d, got %d", name, what, MOST_PIECES, n)
    end
    return n
end

--- Views of length sizes[1], sizes[2], ... along dim, one behind the other.
local function cut(x, dim, sizes)
    local list, start = {}, 1
    for i, size in ipairs(sizes) do
        list[i] = size > 0 and x:narrow(dim, start, size) or x:narrow(dim, 1, 0)
        start = start + size
    end
    return list
end

local function equal_sizes(total, size)
    local sizes = {}
    repeat
        sizes[#sizes + 1] = math.min(size, total)
        total = total - sizes[#sizes]
    until total == 0
    return sizes
end

--- A list of views that cut input along dim into at most chunks pieces of equal size, the last smaller where it
--- does not come out even.
--- input: any shape but a scalar; chunks: a whole number from 1; dim: 1 unless given.
function pieces.chunk(...)
    local a = read("chunk", {"input", "chunks", "dim"}, ...)
    check_tensor("chunk", a.input)
    local dim = check_dim("chunk", a.input, a.dim or 1)
    local chunks = check_pieces("chunk", "chunks", a.chunks)
    local size = a.input:size(dim)
    if size == 0 then
        local sizes = {}
        for i = 1, chunks do
            sizes[i] = 0
        end
        return cut(a.input, dim, sizes)
    end
    return cut(a.input, dim, equal_sizes(size, (size + chunks - 1) // chunks))
end

--- A list of views that cut input along dim into pieces of split_size, the last smaller where it does not come out
--- even; or of the sizes that a list split_size holds, which must sum to input's size.
--- input: any shape but a scalar; dim: 1 unless given.
function pieces.split(...)
    local a = read("split", {"input", "split_size", "dim"}, ...)
    check_tensor("split", a.input)
    local dim = check_dim("split", a.input, a.dim or 1)
    local size = a.input:size(dim)
    if type(a.split_size) ~= "table" then
        local each = check_count("split", "split_size", a.split_size, size == 0 and 0 or 1)
        return cut(a.input, dim, equal_sizes(size, each))
    end
    local sizes, sum = {}, 0
    for i, s in ipairs(a.split_size) do
        sizes[i] = check_count("split", "each of split_size", s, 0)
        sum = sum + sizes[i]
    end
    if sum ~= size then
        raise("split: split_size must sum to %d, the size of dim %d, got %d", size, dim, sum)
    end
    return cut(a.input, dim, sizes)
end

local function split_even(x, dim, sections)
    local size, sizes = x:size(dim), {}
    for i = 1, sections do
        sizes[i] = size // sections + (i <= size % sections and 1 or 0)
    end
    return cut(x, dim, sizes)
end

--- Cuts behind entries ends[1], ends[2], ...; one past the end is the end, and negative ones count from it.
local function split_behind(name, x, dim, ends)
    local size, sizes, start = x:size(dim), {}, 0
    for i = 1, #ends + 1 do
        local stop = size
        if i <= #ends then
            stop = check_count(name, "each of indices", ends[i], -math.maxinteger)
            stop = math.max(0, math.min(stop < 0 and stop + size or stop, size))
        end
        sizes[i] = {start + 1, math.max(stop - start, 0)}
        start = stop
    end
    local list = {}
    for i, piece in ipairs(sizes) do
        list[i] = piece[2] > 0 and x:narrow(dim, piece[1], piece[2]) or x:narrow(dim, 1, 0)
    end
    return list
end

--- A list of views that cut input along dim: into as many pieces as a number says, their sizes as equal as can be and
--- the larger ones first; or behind the entries that a list names: {2, 5} gives entries 1 to 2, 3 to 5, and the rest.
--- input: any shape but a scalar; dim: 1 unless given.
function pieces.tensor_split(...)
    local a = read("tensor_split", {"input", "indices_or_sections", "dim"}, ...)
    check_tensor("tensor_split", a.input)
    local dim = check_dim("tensor_split", a.input, a.dim or 1)
    if type(a.indices_or_sections) == "table" then
        return split_behind("tensor_split", a.input, dim, a.indices_or_sections)
    end
    return split_even(a.input, dim, check_pieces("tensor_split", "indices_or_sections", a.indices_or_sections))
end

--- tensor_split along a dim of its own; a number of pieces must come out even.
local function split_along(name, dim, least, ...)
    local a = read(name, {"input", "indices_or_sections"}, ...)
    check_tensor(name, a.input)
    if a.input:dim() < least then
        raise("%s: input must have at least %d dims, got shape %s", name, least, tostring(a.input.shape))
    end
    local sections = a.indices_or_sections
    if type(sections) == "table" then
        return split_behind(name, a.input, dim, sections)
    end
    sections = check_pieces(name, "indices_or_sections", sections)
    if a.input:size(dim) % sections ~= 0 then
        raise("%s: %d pieces do not come out even in dim %d of size %d", name, sections, dim, a.input:size(dim))
    end
    return split_even(a.input, dim, sections)
end

--- tensor_split along the second dim, or the only dim of a vector, into pieces of one size where a number is given.
--- input: any shape but a scalar; indices_or_sections: as for tensor_split.
function pieces.hsplit(...)
    local x = read("hsplit", {"input", "indices_or_sections"}, ...).input
    check_tensor("hsplit", x)
    return split_along("hsplit", x:dim() == 1 and 1 or 2, 1, ...)
end

--- tensor_split along the first dim, into pieces of one size where a number is given.
--- input: at least 2 dims; indices_or_sections: as for tensor_split.
function pieces.vsplit(...)
    return split_along("vsplit", 1, 2, ...)
end

--- tensor_split along the third dim, into pieces of one size where a number is given.
--- input: at least 3 dims; indices_or_sections: as for tensor_split.
function pieces.dsplit(...)
    return split_along("dsplit", 3, 3, ...)
end

--- A list of views of the entries along dim, which is dropped.
--- input: any shape but a scalar; dim: 1 unless given.
function pieces.unbind(...)
    local a = read("unbind", {"input", "dim"}, ...)
    check_tensor("unbind", a.input)
    local dim, list = check_dim("unbind", a.input, a.dim or 1), {}
    for i = 1, a.input:size(dim) do
        list[i] = a.input:select(dim, i)
    end
    return list
end

--- The first result, and those of the others that were asked for.
local function asked_for(flags, output, inverse, counts)
    if flags.return_inverse then
        if flags.return_counts then
            return output, inverse, counts
        end
        return output, inverse
    end
    if flags.return_counts then
        return output, counts
    end
    return output
end

local every_unique, every_run = core.unique, core.unique_consecutive

--- The different elements of input in order, each nan by itself; with dim the different slices along it. With
--- return_inverse also the position in the result, counted from 1, of each element; with return_counts also how often
--- each comes.
--- input: any shape; sorted: without influence; returns output, inverse_indices (input's shape), counts.
function pieces.unique(...)
    local flags = read("unique", {"input", "sorted", "return_inverse", "return_counts", "dim"}, ...)
    return asked_for(flags, every_unique(...))
end

--- The elements of input, or with dim the slices along it, without those that repeat the one before. With
--- return_inverse also the position in the result, counted from 1, of each element; with return_counts also how often
--- each comes in a row.
--- input: any shape; returns output, inverse_indices (input's shape), counts.
function pieces.unique_consecutive(...)
    local flags = read("unique_consecutive", {"input", "return_inverse", "return_counts", "dim"}, ...)
    return asked_for(flags, every_run(...))
end

local every_nonzero = core.nonzero

--- The positions of the elements of input that are not zero, in row-major order: a tensor (n, dims); with as_tuple a
--- list of one vector for each dim, which picks them: x[x:nonzero {as_tuple = true}].
--- input: any shape; a scalar counts as a vector of one element where as_tuple is true.
function pieces.nonzero(...)
    local a = read("nonzero", {"input", "as_tuple"}, ...)
    if not a.as_tuple then
        return every_nonzero(a.input)
    end
    local rows = every_nonzero(core.atleast_1d(options.tensor("nonzero", "input", a.input)))
    return pieces.unbind(rows, 2)
end

return pieces
