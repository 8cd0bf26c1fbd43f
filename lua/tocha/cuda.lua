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

return cuda
