--- Methods that ask what a tensor is, and that bring tensors and tables to a dtype and a device.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local conversions = {}

local dtype_methods = {bool = "bool", byte = "uint8", char = "int8", short = "int16", int = "int32", long = "int64",
    half = "float16", bfloat16 = "bfloat16", float = "float32", double = "float64", cfloat = "complex64",
    cdouble = "complex128"}

--- A tensor from value (a tensor, a number or nested tables), which is given back itself where it is a tensor of that
--- dtype and on that device already.
--- given: options dtype and device; a tensor keeps its own unless they are given.
function core.as_tensor(value, given)
    given = given or {}
    if type(given) ~= "table" then
        raise("as_tensor: options must be a table such as {dtype = \"float64\"}, got %s", options.describe(given))
    end
    if core.is_tensor(value) and (given.dtype or given.device) then
        return value:to {dtype = given.dtype, device = given.device}
    end
    return core.is_tensor(value) and value or core.tensor(value, given)
end
core.asarray = core.as_tensor

--- Whether x, a tensor of one element, is anything but 0 or false.
function core.is_nonzero(x)
    local value = options.tensor("is_nonzero", "input", x):item()
    return value ~= 0 and value ~= false
end

--- Whether dtype, or the dtype of a tensor, can hold negative numbers.
function core.is_signed(x)
    local dtype = type(x) == "string" and x or options.tensor("is_signed", "input", x).dtype
    return dtype ~= "bool" and dtype ~= "uint8"
end

--- Adds the methods to the tensors'.
function conversions.install(methods)
    for name, dtype in pairs(dtype_methods) do
        methods[name] = function(x) return x:to(dtype) end
    end
    for _, name in ipairs {"is_nonzero", "is_signed"} do
        methods[name] = core[name]
    end

    --- The tensor on the CPU: itself if it is there already.
    function methods.cpu(x)
        return x:to {device = "cpu"}
    end

    --- The tensor on a GPU ("cuda" unless given): itself if it is there already. x:cuda{non_blocking = true} does not
    --- wait for a copy from pinned memory, as x:to does.
    function methods.cuda(x, device, non_blocking)
        local how = type(device) == "table" and device or {device = device, non_blocking = non_blocking}
        return x:to {device = how.device or "cuda", non_blocking = how.non_blocking}
    end

    --- The dtype of x, or with dtype given x as that.
    function methods.type(x, dtype)
        options.tensor("type", "input", x)
        return dtype and x:to(dtype) or x.dtype
    end

    --- The number of the GPU that x is on, or -1 for the CPU.
    function methods.get_device(x)
        options.tensor("get_device", "input", x)
        return x.is_cuda and tonumber(x.device:match ":(%d+)$" or 0) or -1
    end

    --- A tensor as by tocha.tensor, with x's dtype and device unless options say otherwise.
    function methods.new_tensor(x, value, given)
        options.tensor("new_tensor", "input", x)
        local merged = {dtype = x.dtype, device = x.device}
        for key, option in pairs(given or {}) do
            merged[key] = option
        end
        return core.tensor(value, merged)
    end

    --- The dims in the order of their strides, the largest first: {1, 2, ...} for a contiguous tensor.
    function methods.dim_order(x)
        local order, strides = {}, options.tensor("dim_order", "input", x):stride()
        for d = 1, x:dim() do
            order[d] = d
        end
        table.sort(order, function(a, b)
            return strides[a] > strides[b] or strides[a] == strides[b] and a < b
        end)
        return order
    end

    --- Whether x and other have the same shape.
    function methods.is_same_size(x, other)
        return options.tensor("is_same_size", "input", x).shape == options.tensor("is_same_size", "other", other).shape
    end
    methods.ndimension = methods.dim
end

return conversions
