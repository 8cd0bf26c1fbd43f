--- Elementwise ops and reductions on tensors large enough for threads and vector loops: the same bits on any number
--- of threads and from any strides, and float32 near float64.

local tocha = require "tocha"
local compare = require "tests.harness.compare"
local layouts = require "tests.harness.layouts"
local values = require "tests.harness.values"

local large = {}

local ROWS, COLUMNS = 193, 257

local classes = {unary = true, binary = true, compare = true, reduce = true}

--- Whether the check suits the operator.
function large.applies(op)
    return op.entry ~= nil and classes[op.row.class] == true
end

--- A tensor of a domain as values.random takes it, tiled from a few hundred values of it.
local function spread(domain, dtype, seed)
    local n = 401
    local few = values.random {n, low = domain.low, high = domain.high, step = domain.step, ints = domain.ints}
    few = few:tensor(dtype, seed)
    local index = (tocha.arange(ROWS * COLUMNS) * 7) % n + 1
    return few:index_select(1, index):view(ROWS, COLUMNS)
end

local function build(op, dtype)
    local sample = op.samples[1]
    local args = {}
    for _, parameter in ipairs(op.parameters) do
        local spec = sample.args[parameter.name]
        if values.is_spec(spec) then
            args[#args + 1] = spread(op.entry.domain or spec, dtype, "large:" .. parameter.name)
        end
    end
    return args
end

local function run(op, args, dim)
    local f = tocha[op.row.public_name]
    return dim and f(args[1], dim) or f(table.unpack(args))
end

local function each_dim(op)
    return op.row.class == "reduce" and {false, 1, 2} or {false}
end

local function check_threads(op, dtype, dim)
    local args = build(op, dtype)
    tocha.set_num_threads(1)
    local expected = run(op, args, dim)
    for _, threads in ipairs {2, 5} do
        tocha.set_num_threads(threads)
        local problem = compare.same(run(op, args, dim), expected)
        if problem then
            return ("%d threads: %s"):format(threads, problem)
        end
    end
    return nil
end

local function check_strides(op, dtype, dim)
    local args = build(op, dtype)
    local expected = run(op, args, dim)
    for _, layout in ipairs {layouts.transposed, layouts.sliced} do
        local strided = {}
        for i, t in ipairs(args) do
            strided[i] = layout(t)
        end
        local out = run(op, strided, dim)
        local reduces_floats = op.row.class == "reduce" and out:is_floating_point()
        local problem = reduces_floats and compare.close(out, expected, {ulps = 1, rtol = 1e-5, rtol64 = 1e-12}) or
            not reduces_floats and compare.same(out, expected) or nil
        if problem then
            return "strided: " .. problem
        end
    end
    return nil
end

local function check_precision(op, dim)
    local wide = build(op, "float64")
    local args = {}
    for i, t in ipairs(wide) do
        args[i] = t:to("float32")
    end
    local out, expected = run(op, args, dim), run(op, wide, dim)
    if out.dtype ~= "float32" then
        return compare.same(out, expected)
    end
    return compare.elements(compare.flat(out), compare.flat(expected), "float32", {})
end

local function has(list, item)
    for _, other in ipairs(list) do
        if other == item then
            return true
        end
    end
    return false
end

--- Runs all of it.
function large.check(op, report)
    local threads = tocha.get_num_threads()
    for _, dim in ipairs(each_dim(op)) do
        for _, dtype in ipairs {"bool", "uint8", "int64", "float16", "bfloat16", "float32", "float64"} do
            if has(op.dtypes, dtype) then
                local where = ("%s %s"):format(dtype, dim and "dim " .. dim or "all")
                report:try(where, check_threads, op, dtype, dim)
                tocha.set_num_threads(threads)
                report:try(where, check_strides, op, dtype, dim)
            end
        end
        if has(op.dtypes, "float32") and has(op.dtypes, "float64") then
            report:try("float32 and float64", check_precision, op, dim)
        end
    end
end

return large
