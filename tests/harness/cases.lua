--- Every operator's row with its samples, and how a sample becomes a call.

local tocha = require "tocha"
local signature = require "tests.harness.signature"
local values = require "tests.harness.values"

local cases = {}

--- The names of the files in tests/harness/samples; with $TOCHA_FAMILIES, a list of words, only these.
local function list_families()
    local wanted, families = os.getenv("TOCHA_FAMILIES"), {}
    for word in (wanted or ""):gmatch("%S+") do
        families[#families + 1] = word
    end
    if wanted then
        return families
    end
    local listing = assert(io.popen("LC_ALL=C ls '" .. (os.getenv("TOCHA_ROOT") or ".") .. "/tests/harness/samples'"))
    for file in listing:lines() do
        local name = file:match("^([%w_]+)%.lua$")
        if name and name ~= "common" then
            families[#families + 1] = name
        end
    end
    listing:close()
    return families
end

cases.families = list_families()

--- The device that the samples' tensors are on; "cuda" tests another backend than the CPU's.
cases.device = os.getenv("TOCHA_DEVICE") or "cpu"

local sets = {
    half = {"float16", "bfloat16"},
    float = {"float16", "bfloat16", "float32", "float64"},
    int = {"uint8", "int8", "int16", "int32", "int64"},
    signed = {"int8", "int16", "int32", "int64"},
    wide = {"float32", "float64"},
    bits = {"bool", "uint8", "int8", "int16", "int32", "int64"},
    real = {"uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"},
}
sets.any = {"bool", table.unpack(sets.real)}
sets.complex = {"complex64", "complex128"}
sets.number = {"complex64", "complex128", table.unpack(sets.real)}
sets.all = {"complex64", "complex128", table.unpack(sets.any)}
cases.all_dtypes = sets.all

local function has(list, item)
    for _, other in ipairs(list) do
        if other == item then
            return true
        end
    end
    return false
end

--- "float signed bool" as a list of dtypes.
local function read_dtypes(text)
    local list = {}
    for word in text:gmatch("%w+") do
        for _, dtype in ipairs(sets[word] or {word}) do
            list[#list + 1] = dtype
        end
    end
    return list
end

local function row_dtypes(row, entry)
    if row.to_float then
        return row.dtypes:find("complex", 1, true) and sets.all or sets.any
    elseif entry.dtypes then
        return read_dtypes(entry.dtypes)
    end
    return read_dtypes(row.dtypes)
end

local function prepare(op, given, index)
    local sample = {}
    for key, value in pairs(given) do
        sample[key] = value
    end
    sample.args = sample[1]
    sample.key = ("%s#%d"):format(op.name, index)
    sample.op = op
    sample.torch = sample.torch or op.entry.torch
    if sample.complex_grad == nil then
        sample.complex_grad = op.entry.complex_grad
    end
    sample.dtypes_run = {}
    local allowed = sample.dtypes and read_dtypes(sample.dtypes)
    for _, dtype in ipairs(op.dtypes) do
        if not allowed or has(allowed, dtype) then
            table.insert(sample.dtypes_run, dtype)
        end
    end
    for name in pairs(sample.args) do
        assert(op.parameters[name], sample.key .. ": the row has no parameter " .. name)
    end
    return sample
end

local function make_op(row, entry, family)
    local op = {row = row, name = row.name, entry = entry, family = family}
    op.parameters = signature.parse(row.signature)
    op.dtypes = entry and row_dtypes(row, entry) or {}
    op.samples = {}
    for i, sample in ipairs(entry or {}) do
        op.samples[i] = prepare(op, sample, i)
    end
    return op
end

local function load_entries()
    local entries, family_of = {}, {}
    for _, family in ipairs(cases.families) do
        for name, entry in pairs(require("tests.harness.samples." .. family)) do
            assert(not entries[name], name .. " has samples in two files")
            entries[name], family_of[name] = entry, family
        end
    end
    return entries, family_of
end

local loaded

--- The operators in the table's order, on the CPU without those of libraries that only other devices have:
--- {row, name, parameters, entry, family, dtypes, samples}; entry is nil for one
--- without samples. The second result lists samples of what is no operator.
function cases.ops()
    if loaded then
        return loaded.ops, loaded.strangers
    end
    local entries, family_of = load_entries()
    loaded = {ops = {}, strangers = {}}
    for _, row in ipairs(tocha._op_table()) do
        local here = not row.library or cases.device ~= "cpu"
        if here and (entries[row.name] or not os.getenv("TOCHA_FAMILIES")) then
            table.insert(loaded.ops, make_op(row, entries[row.name], family_of[row.name]))
        end
        entries[row.name] = nil
    end
    for name in pairs(entries) do
        table.insert(loaded.strangers, name)
    end
    return loaded.ops, loaded.strangers
end

local function is_list_of_specs(value)
    if type(value) ~= "table" or getmetatable(value) then
        return false
    end
    for _, item in pairs(value) do
        if values.is_spec(item) then
            return true
        end
    end
    return false
end

--- Calls visit(spec, name, seed) for the tensors of a sample in the order of the signature.
function cases.each_spec(sample, visit)
    for _, parameter in ipairs(sample.op.parameters) do
        local value = sample.args[parameter.name]
        local seed = sample.key .. ":" .. parameter.name
        if values.is_spec(value) then
            visit(value, parameter, seed)
        elseif is_list_of_specs(value) then
            for i = 1, #value do
                if value[i] then
                    visit(value[i], parameter, seed .. "." .. i)
                end
            end
        end
    end
end

local function build_value(value, seed, dtype, layout, parameter)
    if values.is_spec(value) and value.kind == "number" then
        return value.number
    elseif values.is_spec(value) then
        local t = value:tensor(dtype, seed)
        t = t:to {device = cases.device}
        return layout and layout(t, parameter) or t
    elseif is_list_of_specs(value) then
        local list = {}
        for i = 1, #value do
            list[i] = value[i] and build_value(value[i], seed .. "." .. i, dtype, layout, parameter) or false
        end
        return list
    end
    return tocha.is_tensor(value) and value:to {device = cases.device} or value
end

--- Whether the operator makes tensors from nothing and takes their dtype.
function cases.makes(op)
    return op.parameters.dtype ~= nil and not signature.takes_tensors(op.parameters[1])
end

--- The arguments of a sample by name, with its tensors in dtype; layout(t, parameter) may replace each tensor.
--- Rows that make tensors from nothing get the dtype as their option, unless the sample is plain.
function cases.build(sample, dtype, layout)
    local args = {}
    for name, value in pairs(sample.args) do
        args[name] = build_value(value, sample.key .. ":" .. name, dtype, layout, sample.op.parameters[name])
    end
    if cases.makes(sample.op) and not sample.plain and args.dtype == nil then
        args.dtype = dtype
    end
    if cases.makes(sample.op) and sample.op.parameters.device and args.device == nil and cases.device ~= "cpu" then
        args.device = cases.device
    end
    return args
end

--- Arguments as a call takes them: by position up to the first that is missing, the rest by name.
local function by_position(op, args)
    local list, n, options = {}, 0, nil
    for i, parameter in ipairs(op.parameters) do
        local value = args[parameter.name]
        if value ~= nil and n == i - 1 then
            n = n + 1
            list[n] = value
        elseif value ~= nil then
            options = options or {}
            options[parameter.name] = value
        end
    end
    if options then
        n = n + 1
        list[n] = options
    end
    return list, n
end

local function with_written(op, args, ...)
    local results = {...}
    local first = true
    for _, parameter in ipairs(op.parameters) do
        if parameter.written and args[parameter.name] then
            local given = args[parameter.name]
            local list = tocha.is_tensor(given) and {given} or given
            table.move(list, first and 2 or 1, #list, #results + 1, results) -- the very first is the result
        end
        first = first and not parameter.written
    end
    return results
end

--- Calls the operator; style is "position", "name" or "method". The results, and behind them the tensors written.
function cases.call(op, args, style)
    local f = tocha[op.row.public_name]
    if style == "name" then
        return with_written(op, args, f(args))
    end
    local list, n = by_position(op, args)
    if style == "method" then
        return with_written(op, args, list[1][op.row.public_name](table.unpack(list, 1, n)))
    end
    return with_written(op, args, f(table.unpack(list, 1, n)))
end

--- Calls the in-place form on its first argument.
function cases.call_inplace(op, args)
    local list, n = by_position(op, args)
    return list[1][op.row.public_name .. "_"](table.unpack(list, 1, n))
end

--- Whether some tensor of the sample has no elements, or its first one no dims.
function cases.is_empty(sample)
    local empty = false
    cases.each_spec(sample, function(spec)
        for _, size in ipairs(spec.shape) do
            empty = empty or size == 0
        end
    end)
    return empty or sample.covers == "empty"
end

--- Whether some tensor of the sample that is not a number has no dims.
function cases.is_scalar(sample)
    local scalar = false
    cases.each_spec(sample, function(spec)
        scalar = scalar or (#spec.shape == 0 and spec.kind ~= "number")
    end)
    return scalar or sample.covers == "scalar"
end

return cases
