--- Functions of one sample made functions of many.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"
local tree = require "tocha.func.tree"

local describe = options.describe

local function is_callable(f)
    return type(f) == "function" or type(f) == "table" and (getmetatable(f) or {}).__call ~= nil
end

--- dim, counted from 1 or from the end, of a tensor with n dims; raises an error where there is none.
local function check_dim(who, dim, n, what)
    local d = type(dim) == "number" and math.tointeger(dim)
    if not d or d == 0 or d > n or d < -n then
        raise("vmap: %s must be a dim in [-%d, %d] or false, got %s for %s", who, n, n, describe(dim), what)
    end
    return d < 0 and d + n + 1 or d
end

--- "argument 2", "argument 1.w"
local function name_argument(path)
    local i, rest = path:match("^%[(%d+)%](.*)$")
    return i and "argument " .. i .. rest or "argument " .. path
end

--- The dims of the arguments as a tree: one number stands for all.
local function spread_dims(in_dims, n)
    if type(in_dims) == "number" then
        local dims = {}
        for i = 1, n do
            dims[i] = in_dims
        end
        return dims
    elseif type(in_dims) ~= "table" or #in_dims ~= n then
        raise("vmap: in_dims must be a dim, or a list with an entry (a dim or false) for each of the %d arguments, "
            .. "got %s", n, type(in_dims) == "table" and #in_dims .. " entries" or describe(in_dims))
    end
    return in_dims
end

--- How many samples the arguments hold.
local function count_samples(args, dims)
    local samples, first
    tree.map_dims(function(t, dim, path)
        if dim then
            local n = t:size(check_dim("in_dims", dim, t:dim(), name_argument(path)))
            if samples and samples ~= n then
                raise("vmap: %s has %d samples along dim %d, %s has %d", name_argument(path), n, dim, first, samples)
            end
            samples, first = n, first or name_argument(path)
        end
        return t
    end, args, dims)
    if not samples then
        raise("vmap: no argument is mapped; give a tensor whose entry in in_dims is a dim")
    end
    return samples
end

--- Results with all samples along out_dims.
local function unwrap(results, level, out_dims)
    local single = type(out_dims) == "number"
    if not single and (type(out_dims) ~= "table" or #out_dims < results.n) then
        raise("vmap: out_dims must be a dim, or a list with one for each of the %d results, got %s", results.n,
            type(out_dims) == "table" and #out_dims .. " entries" or describe(out_dims))
    end
    for i = 1, results.n do
        if not core.is_tensor(results[i]) and type(results[i]) ~= "table" then
            raise("vmap: the function must give tensors, or tables of them; result %d is %s", i, describe(results[i]))
        end
        results[i] = tree.map_dims(function(y, dim, path)
            local n = y:dim() + 1
            return core._unbatch(y, level, check_dim("out_dims", dim, n, "result " .. i .. path))
        end, results[i], single and out_dims or out_dims[i])
    end
    return results
end

local function run(f, args, n, dims, samples, o)
    return core._vmap(samples, o.randomness, function(level)
        local own = tree.map_dims(function(t, dim, path)
            return dim and core._batch(t, check_dim("in_dims", dim, t:dim(), name_argument(path)), level) or t
        end, args, dims)
        local results = unwrap(table.pack(f(table.unpack(own, 1, n))), level, o.out_dims)
        return results
    end)
end

--- The results of chunks, joined along out_dims.
local function join(chunks, out_dims)
    local joined = {n = chunks[1].n}
    for i = 1, joined.n do
        local flat = {}
        local _, rebuild = tree.flatten(chunks[1][i])
        for c, chunk in ipairs(chunks) do
            flat[c] = tree.flatten(chunk[i])
        end
        local dims, together = {}, {}
        tree.map_dims(function(y, dim) dims[#dims + 1] = check_dim("out_dims", dim, y:dim(), "result " .. i) end,
            chunks[1][i], type(out_dims) == "number" and out_dims or out_dims[i])
        for k, dim in ipairs(dims) do
            local parts = {}
            for c = 1, #chunks do
                parts[c] = flat[c][k]
            end
            together[k] = core.cat(parts, dim)
        end
        joined[i] = rebuild(together)
    end
    return joined
end

local function run_chunks(f, args, n, dims, samples, o)
    local chunks = {}
    for first = 1, samples, o.chunk_size do
        local length = math.min(o.chunk_size, samples - first + 1)
        local part = tree.map_dims(function(t, dim)
            return dim and t:narrow(dim, first, length) or t
        end, args, dims)
        chunks[#chunks + 1] = run(f, part, n, dims, length, o)
    end
    return join(chunks, o.out_dims)
end

local known = {in_dims = true, out_dims = true, randomness = true, chunk_size = true}

local function read_options(given)
    given = given or {}
    if type(given) ~= "table" then
        raise("vmap: options must be a table, got %s", describe(given))
    end
    for key in pairs(given) do
        if not known[key] then
            raise("vmap: unknown option %s; known: in_dims, out_dims, randomness, chunk_size", describe(key))
        end
    end
    local o = {
        in_dims = given.in_dims == nil and 1 or given.in_dims,
        out_dims = given.out_dims == nil and 1 or given.out_dims,
        randomness = given.randomness or "error",
        chunk_size = given.chunk_size,
    }
    if o.randomness ~= "error" and o.randomness ~= "different" and o.randomness ~= "same" then
        raise("vmap: randomness must be \"error\", \"different\" or \"same\", got %s", describe(o.randomness))
    elseif o.chunk_size ~= nil and not (math.type(o.chunk_size) == "integer" and o.chunk_size >= 1) then
        raise("vmap: chunk_size must be a whole number from 1, got %s", describe(o.chunk_size))
    end
    return o
end

--- A function that does for all samples at once what f does for one: f sees tensors without the dim along which the
--- samples stand. It may use any operators, and tensors that are not mapped as they are; values cannot be read inside
--- (item, if x > 0: use where), and f cannot yield. Operators without a batching rule run once for each sample.
--- Options: in_dims, along which dim each argument is mapped: a number for all (1), or a list with a number, false for
--- what is the same for all samples, or a table like the argument; out_dims, where the samples stand in each result
--- (1); randomness, what random operators do: "error", "different" numbers for each sample, or the "same";
--- chunk_size, how many samples at most to do at once.
--- > dot = tocha.func.vmap(tocha.dot)
--- > dot(tocha.tensor({{1., 2.}, {3., 4.}}), tocha.tensor({{1., 1.}, {2., 2.}}))
--- tensor({3, 14})
local function vmap(f, given)
    if not is_callable(f) then
        raise("vmap: expected a function, got %s", describe(f))
    end
    local o = read_options(given)
    return function(...)
        local n, args = select("#", ...), {...}
        local dims = spread_dims(o.in_dims, n)
        local samples = count_samples(args, dims)
        local in_chunks = o.chunk_size and o.chunk_size < samples
        local results = (in_chunks and run_chunks or run)(f, args, n, dims, samples, o)
        return table.unpack(results, 1, results.n)
    end
end

return vmap
