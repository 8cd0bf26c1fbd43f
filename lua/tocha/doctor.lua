--- tocha doctor: what this installation finds on this machine.

local core = require "tocha.core"

local lower = core._cuda

local doctor = {}

local function gib(bytes)
    return ("%.1f GiB"):format(bytes / (1 << 30))
end

local function describe_device(i)
    local p = lower.properties(i)
    return ("cuda:%d  %s, compute capability %d.%d, %d multiprocessors, %s"):format(i, p.name, p.major, p.minor,
        p.multi_processor_count, gib(p.total_memory))
end

--- The lines about CUDA.
local function describe_cuda(add)
    local module = lower.module()
    add("CUDA module", module or "none: this Tocha was built without CUDA")
    local count, why = lower.driver()
    add("NVIDIA driver", count > 0 and ("%d device%s"):format(count, count == 1 and "" or "s") or why)
    local ok, missing = lower.available()
    if not ok then
        add("GPUs", "none: " .. missing)
        return
    end
    for i = 0, lower.device_count() - 1 do
        add(i == 0 and "GPUs" or "", describe_device(i))
    end
end

--- What is found, as lines of text.
function doctor.report()
    local lines = {}
    local function add(what, text)
        lines[#lines + 1] = ("%-14s %s"):format(what, text):gsub("%s+$", "")
    end
    local config = core.config()
    add("Tocha", config.version)
    add("Lua", _VERSION)
    add("CPU kernels", ("%s, %d thread%s"):format(config.isa, config.threads, config.threads == 1 and "" or "s"))
    add("BLAS", config.blas_core and ("%s, for %s"):format(config.blas, config.blas_core) or config.blas)
    describe_cuda(add)
    return table.concat(lines, "\n")
end

return doctor
