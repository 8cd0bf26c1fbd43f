--- Fails every allocation of an operator's call, and of its backward, in turn.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local gradients = require "tests.harness.gradients"
local report = require "tests.harness.report"

local memory = {}

--- Bytes of the host's and the device's memory, and tensors.
local function live()
    collectgarbage()
    collectgarbage()
    local stats = tocha.memory_stats()
    local on_device = cases.device == "cpu" and 0 or tocha.cuda.memory_stats().live
    return stats.live + on_device, stats.tensors
end

--- Calls f with allocation number n failing, and all behind it, since the binding collects garbage and tries again.
--- Returns what pcall does and whether f allocated that often.
local function failing(n, f)
    tocha._fail_after(n, math.maxinteger)
    local ok, message = pcall(f)
    return ok, message, tocha._fail_after(-1) < math.maxinteger
end

--- The first n at which f leaks when allocation n fails.
local function find_leak(f, last)
    for n = 0, last do
        local before_live, before_tensors = live()
        failing(n, f)
        local after_live, after_tensors = live()
        if after_tensors ~= before_tensors or after_live ~= before_live then
            return ("failing allocation %d leaks %d tensors and %d bytes"):format(n, after_tensors - before_tensors,
                after_live - before_live)
        end
    end
    return "failing one allocation after the other leaks"
end

local function check_failures(f)
    for _ = 1, 2 do
        f()
    end
    local before_live, before_tensors = live()
    local n, ok = -1, false
    while not ok do
        local message, reached
        n = n + 1
        ok, message, reached = failing(n, f)
        if ok == reached then
            return ("failing allocation %d: %s"):format(n, ok and "the call went on without it" or message)
        elseif not ok and not tostring(message):find("memory", 1, true) then
            return ("failing allocation %d: %s"):format(n, message)
        end
    end
    local after_live, after_tensors = live()
    if after_tensors ~= before_tensors or after_live ~= before_live then
        return find_leak(f, n)
    end
    return nil
end

local quick = os.getenv("TOCHA_QUICK") == "1"

--- The samples tried: the first that succeed, one where all ops of the class go the same way, in their widest dtype,
--- with the backward where there is one.
local function check(op, found)
    local class = op.row.class
    local one = quick or class == "unary" or class == "binary" or class == "compare"
    local tried = 0
    for _, sample in ipairs(op.samples) do
        if not sample.error and tried < (one and 1 or 2) then
            tried = tried + 1
            local dtype = sample.dtypes_run[#sample.dtypes_run]
            local args = cases.build(sample, dtype)
            local with_backward = gradients.as_backward(sample)
            found:try(sample.key, check_failures, with_backward or function() cases.call(op, args) end)
        end
    end
end

--- Checks the operators of a family and prints a line for each: name, comparisons, problems. Only for a process of
--- its own: it leaves the samples of all other families out.
function memory.run_family(family)
    cases.families = {family}
    for _, op in ipairs((cases.ops())) do
        if op.entry then
            local found = report.new(op)
            check(op, found)
            local problems = table.concat(found.problems, "; "):gsub("%c", " ")
            print(("%s\t%d\t%s"):format(op.name, found.done, problems))
        end
    end
end

return memory
