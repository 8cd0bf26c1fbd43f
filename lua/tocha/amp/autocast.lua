--- Mixed precision: which dtype operators compute in, while it is on.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local autocast = {}

local halves = {float16 = true, bfloat16 = true}
local standard = {cpu = "bfloat16", cuda = "float16"}
local known = {dtype = true, enabled = true, cache_enabled = true}

local function device_kind(device, who)
    local kind = type(device) == "string" and device:match("^%a+")
    return standard[kind] and kind or raise('%s: device must be "cpu" or "cuda", got %s', who, options.describe(device))
end

local function check(settings)
    for name, value in pairs(settings) do
        if not known[name] then
            raise("autocast: unknown option %s; known are dtype, enabled and cache_enabled", options.describe(name))
        elseif name ~= "dtype" and type(value) ~= "boolean" then
            raise("autocast: %s must be true or false, got %s", name, options.describe(value))
        end
    end
    if settings.dtype ~= nil and not halves[settings.dtype] then
        raise('autocast: dtype must be "float16" or "bfloat16", got %s', options.describe(settings.dtype))
    end
end

local function is_settings(value)
    return type(value) == "table" and getmetatable(value) == nil
end

--- Runs f(...) in mixed precision and gives its results: matrix products, convolutions, recurrent layers and attention
--- compute in a half type, and softmax, norms, losses, powers, logarithms and the like in float32, to which their
--- tensors are cast; the rest computes in what it is given. Of a weight the cast is kept while the block lasts.
--- Without f, a guard for a block: local guard <close> = tocha.autocast("cuda").
--- device: "cpu" or "cuda"; left out, both. Options: dtype, "float16" or "bfloat16" (left out, bfloat16 on the CPU and
--- float16 on CUDA devices); enabled = false switches it off for a part; cache_enabled = false keeps no casts.
--- Only the forward pass and the loss belong inside: backward passes compute in the dtypes of the forward ones anyway.
--- Micikevicius et al., Mixed Precision Training, ICLR 2018.
--- > x = tocha.ones(2, 2)
--- > tocha.autocast("cpu", function() return x:mm(x).dtype, x:mm(x):softmax(1).dtype end)
--- bfloat16
--- float32
function autocast.autocast(device, ...)
    local rest = table.pack(...)
    if device ~= nil and type(device) ~= "string" then
        table.insert(rest, 1, device)
        rest.n, device = rest.n + 1, nil
    end
    local settings = {}
    if is_settings(rest[1]) then
        settings = table.remove(rest, 1)
        rest.n = rest.n - 1
    end
    check(settings)
    local only, dtypes = device and device_kind(device, "autocast"), {}
    for kind, usual in pairs(standard) do
        if only == nil or only == kind then
            dtypes[kind] = settings.enabled ~= false and (settings.dtype or usual)
        end
    end
    return core._autocast(dtypes.cpu, dtypes.cuda, settings.cache_enabled ~= false, table.unpack(rest, 1, rest.n))
end

--- Whether mixed precision is on for a kind of device, "cuda" unless given.
--- > tocha.autocast("cpu", function() return tocha.is_autocast_enabled("cpu"), tocha.is_autocast_enabled("cuda") end)
--- true
--- false
function autocast.is_autocast_enabled(device)
    return autocast.get_autocast_dtype(device) ~= nil
end

--- The half type that mixed precision computes in on a kind of device, "cuda" unless given; nil where it is off.
function autocast.get_autocast_dtype(device)
    local cpu, cuda = core._autocast_dtypes()
    if device_kind(device or "cuda", "get_autocast_dtype") == "cpu" then
        return cpu
    end
    return cuda
end

return autocast
