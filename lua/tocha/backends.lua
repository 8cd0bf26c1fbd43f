--- tocha.backends: how the libraries behind a device compute. Settings are fields:
---
---     tocha.backends.cudnn.allow_tf32 = true
---
--- tocha.backends.cudnn, of convolutions, attention and recurrent networks on the device "cuda":
---   enabled        (true)  whether cuDNN is used at all; without it, convolutions run as matrix products and attention
---                          by kernels of the backend
---   allow_tf32     (false) whether float32 may be rounded to the 10 bits of TF32 in products, which tensor cores are
---                          made for; sums are of float32 all the same. PyTorch has it on.
---   deterministic  (true)  whether the same call gives the same bits. PyTorch has it off.
---   benchmark      (false) whether a new shape's first call times what cuDNN offers and keeps the fastest
---
--- tocha.backends.cuda.matmul, which is tocha.cuda.matmul too, of matrix products:
---   allow_tf32     (false) whether float32 may be rounded to TF32 there; set_float32_matmul_precision("high") lets it

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local setting = core._cuda.setting

--- A table whose fields are the settings prefix.field of the engine.
local function settings(prefix, fields)
    local known = {}
    for _, field in ipairs(fields) do
        known[field] = true
    end
    local function check(field)
        if not known[field] then
            raise("backends.%s has no setting %s; it has %s", prefix, options.describe(field),
                table.concat(fields, ", "))
        end
        return prefix .. "." .. field
    end
    return setmetatable({}, {
        __index = function(_, field)
            return setting(check(field))
        end,
        __newindex = function(_, field, value)
            local name = check(field)
            if type(value) ~= "boolean" then
                raise("backends.%s must be true or false, got %s", name, options.describe(value))
            end
            setting(name, value)
        end,
        __pairs = function(self)
            local i = 0
            return function()
                i = i + 1
                return fields[i], fields[i] and self[fields[i]]
            end
        end,
    })
end

local backends = {cuda = {matmul = settings("cuda.matmul", {"allow_tf32"})}}

local precision

--- How exactly matrix products of float32 are computed: "highest", in float32, or "high" or "medium", in TF32 where
--- there is a GPU that has it.
function backends.set_float32_matmul_precision(wanted)
    if wanted ~= "highest" and wanted ~= "high" and wanted ~= "medium" then
        raise('set_float32_matmul_precision: precision must be "highest", "high" or "medium", got %s',
            options.describe(wanted))
    end
    backends.cuda.matmul.allow_tf32 = wanted ~= "highest"
    precision = wanted
end

--- What set_float32_matmul_precision was given, "highest" at first; also where allow_tf32 was set instead.
function backends.get_float32_matmul_precision()
    if not backends.cuda.matmul.allow_tf32 then
        return "highest"
    end
    return precision == "medium" and precision or "high"
end

backends.cudnn = settings("cudnn", {"enabled", "allow_tf32", "deterministic", "benchmark"})

return backends
