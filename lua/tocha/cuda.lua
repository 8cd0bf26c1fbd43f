--- tocha.cuda: GPUs, their memory, streams and events. A device is given by its number, as CUDA counts them from 0,
--- or by its name, such as "cuda:1"; without one the current device is meant.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local lower = core._cuda

local cuda = {}

--- The number of a device that is given as a number, a name, or not at all.
local function number_of(device, who)
    if device == nil or device == "cuda" then
        return lower.current_device()
    end
    local n = math.tointeger(device) or type(device) == "string" and math.tointeger(device:match("^cuda:(%d+)$"))
    return n or raise('%s: device must be a number or a name such as "cuda:0", got %s', who, options.describe(device))
end

--- Whether a GPU can be used; if not, the second result says why.
function cuda.is_available()
    local ok, why = lower.available()
    return ok, why
end

--- How many GPUs there are.
function cuda.device_count()
    return lower.device_count()
end

--- What is known of a device: name, major and minor (its compute capability), multi_processor_count and total_memory
--- in bytes.
function cuda.get_device_properties(device)
    return lower.properties(number_of(device, "get_device_properties"))
end

--- The name of a device.
function cuda.get_device_name(device)
    return lower.properties(number_of(device, "get_device_name")).name
end

--- The compute capability of a device, such as 9, 0.
function cuda.get_device_capability(device)
    local p = lower.properties(number_of(device, "get_device_capability"))
    return p.major, p.minor
end

--- The number of the device that "cuda" means in this thread.
function cuda.current_device()
    return lower.current_device()
end

--- Lets "cuda" mean another device in this thread from now on.
function cuda.set_device(device)
    lower.set_device(number_of(device, "set_device"))
end

--- A value that puts back what restore() does at the end of a block.
local function finally(restore)
    return setmetatable({}, {__close = restore})
end

--- Calls f(...) with "cuda" meaning the device, and gives what it returns.
function cuda.device(device, f, ...)
    local before = lower.current_device()
    lower.set_device(number_of(device, "device"))
    local _ <close> = finally(function() lower.set_device(before) end)
    return f(...)
end

--- Waits until a device has done all that it was given. Errors that kernels have found in their data are raised here
--- at the latest.
function cuda.synchronize(device)
    lower.synchronize(number_of(device, "synchronize"))
end

--- What memory of a device is used for, in bytes: live and peak in tensors, cached for the next ones, largest_free,
--- limit (0: none), device_free and device_total as the device has it; and the numbers allocs, frees, device_allocs.
function cuda.memory_stats(device)
    return lower.memory_stats(number_of(device, "memory_stats"))
end

--- Bytes in tensors on a device.
function cuda.memory_allocated(device)
    return lower.memory_stats(number_of(device, "memory_allocated")).live
end

--- The most bytes that were in tensors at a time, since the start or reset_peak_memory_stats.
function cuda.max_memory_allocated(device)
    return lower.memory_stats(number_of(device, "max_memory_allocated")).peak
end

--- Bytes in tensors and in the cache.
function cuda.memory_reserved(device)
    local s = lower.memory_stats(number_of(device, "memory_reserved"))
    return s.live + s.cached
end

--- Bytes that are free on a device, and that it has, all programs together.
function cuda.mem_get_info(device)
    local s = lower.memory_stats(number_of(device, "mem_get_info"))
    return s.device_free, s.device_total
end

--- What memory_stats has, as a text of several lines.
function cuda.memory_summary(device)
    local s = cuda.memory_stats(device)
    local function mib(bytes)
        return ("%10.1f MiB"):format(bytes / (1 << 20))
    end
    return table.concat({
        "in tensors         " .. mib(s.live), "  at most          " .. mib(s.peak),
        "cached             " .. mib(s.cached),
        "  largest block    " .. mib(s.largest_free), "free on the device " .. mib(s.device_free),
        "of                 " .. mib(s.device_total),
        ("%d blocks handed out, %d taken back, %d asked of the device"):format(s.allocs, s.frees, s.device_allocs),
    }, "\n")
end

--- Starts max_memory_allocated anew.
function cuda.reset_peak_memory_stats(device)
    lower.reset_peak(number_of(device, "reset_peak_memory_stats"))
end

--- Gives cached memory back to the device.
function cuda.empty_cache(device)
    lower.empty_cache(number_of(device, "empty_cache"))
end

--- Lets tensors and cache take at most so many bytes of a device; 0: no limit.
function cuda.set_memory_limit(bytes, device)
    lower.set_limit(number_of(device, "set_memory_limit"), bytes)
end

--- Lets tensors and cache take at most that share, in [0, 1], of a device's memory.
function cuda.set_per_process_memory_fraction(fraction, device)
    local n = number_of(device, "set_per_process_memory_fraction")
    if type(fraction) ~= "number" or not (fraction > 0 and fraction <= 1) then
        raise("set_per_process_memory_fraction: fraction must be above 0 and at most 1, got %s",
            options.describe(fraction))
    end
    lower.set_limit(n, math.max(1, math.floor(fraction * lower.memory_stats(n).device_total)))
end

-- Random streams are the same on all devices, so these are tocha's own.
for _, name in ipairs {"manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"} do
    cuda[name] = core[name]
end
cuda.manual_seed_all = core.manual_seed

-- The stream that this thread has chosen for a device; the engine knows only its address.
local chosen = {}

--- The device's own stream, on which work runs unless another is chosen.
function cuda.default_stream(device)
    return lower.stream_default(number_of(device, "default_stream"))
end

--- The stream on which this thread's work for a device runs.
function cuda.current_stream(device)
    local n = number_of(device, "current_stream")
    return chosen[n] or lower.stream_default(n)
end

--- A new stream of a device: a queue of work beside the others. Work on one stream is done in order; between streams
--- events order it. Memory that another stream than its own uses is to be announced with x:record_stream(stream).
--- settings: {priority = -1} for one that goes first.
function cuda.Stream(device, settings)
    if type(device) == "table" then
        device, settings = nil, device
    end
    local priority = settings and settings.priority or 0
    return lower.stream_new(number_of(device, "Stream"), priority < 0)
end

--- Lets this thread's work for the stream's device run on that stream from now on.
function cuda.set_stream(stream)
    lower.stream_use(stream)
    chosen[tonumber(stream:device():match("%d+"))] = stream
end

--- Calls f(...) with the work on the stream's device running on that stream, and gives what it returns.
function cuda.stream(stream, f, ...)
    local before = cuda.current_stream(stream:device())
    cuda.set_stream(stream)
    local _ <close> = finally(function() cuda.set_stream(before) end)
    return f(...)
end

--- A new event, a place in a stream: event:record(stream), event:wait(stream), event:query(), event:synchronize().
--- With {enable_timing = true}, first:elapsed_time(last) gives the milliseconds between two.
function cuda.Event(settings)
    local device = settings and settings.device
    return lower.event_new(number_of(device, "Event"), settings ~= nil and settings.enable_timing == true)
end

--- Lets later work on this stream wait for an event.
function lower.stream_methods:wait_event(event)
    event:wait(self)
end

--- Records an event, a new one unless given, in this stream, and returns it.
function lower.stream_methods:record_event(event)
    event = event or cuda.Event {device = self:device()}
    event:record(self)
    return event
end

--- Lets later work on this stream wait for all that another was given so far.
function lower.stream_methods:wait_stream(other)
    other:record_event():wait(self)
end

--- The tensor's memory is used by the stream too: it is not handed out again before what the stream has been given by
--- the time of its release is done.
function core.methods.record_stream(x, stream)
    lower.record_stream(x, stream)
end

local pin_memory, is_pinned = core.methods.pin_memory, core.methods.is_pinned

--- A copy of a tensor of the CPU in pinned memory, which GPUs copy from and to faster; itself if it is there already.
--- Such memory is scarce and dear to allocate: keep the tensor and copy into it.
function core.methods.pin_memory(x)
    return pin_memory(x)
end

--- Whether a tensor lies in pinned memory.
function core.methods.is_pinned(x)
    return is_pinned(x)
end

--- Records what f(...) gives to the current device, without running it, and gives a graph and f's results:
---
---     local g, loss = tocha.cuda.graph(step, x, y)
---     for images, labels in batches do
---         x:copy_(images)
---         y:copy_(labels)
---         g:replay()
---     end
---
--- g:replay() runs it again on the same memory: what changes from time to time is copied into tensors that f reads, and
--- f's results get new values. Random numbers are new ones, and optimizers go on as without a graph: a replay takes
--- their step counts, learning rates and other options as they are then. Call f a few times before, so that libraries
--- are open. What waits for the device cannot be recorded: x:item(), printing, copies from and to
--- the CPU, operators whose result's size depends on data. g:size() is the number of nodes; g:reset() frees the graph.
function cuda.graph(f, ...)
    if type(f) ~= "function" then
        raise("graph: expected a function, got %s", options.describe(f))
    end
    return lower.graph(lower.current_device(), f, ...)
end

--- Whether a graph is being recorded.
function cuda.is_current_stream_capturing()
    return lower.capturing() ~= nil
end

return cuda
