--- Collects what a check finds, fails its test with the first findings, and counts for TOCHA_HARNESS_COUNTS=1.

local tocha = require "tocha"

local report = {}

local on_device = (os.getenv("TOCHA_DEVICE") or "cpu") ~= "cpu"

local SHOWN = 6

local counts, order = {}, {}

local function count(op, good)
    if not counts[op] then
        counts[op] = {passed = 0, failed = 0}
        order[#order + 1] = op
    end
    local field = good and "passed" or "failed"
    counts[op][field] = counts[op][field] + 1
end

-- The names of operators that lack a kernel, and by name the set of dtypes.
local missing = {}

local function note_missing(name, dtypes)
    if not missing[name] then
        missing[name] = {}
        missing[#missing + 1] = name
    end
    for dtype in pairs(dtypes) do
        missing[name][dtype] = true
    end
end

local Report = {}
Report.__index = Report

--- A report for one test of an operator.
function report.new(op)
    return setmetatable({op = op, problems = {}, done = 0}, Report)
end

--- Counts one comparison: problem is nil, or a text that says what is wrong. That a device has no kernel is no problem,
--- but the operator, or one that it calls, is not there yet.
function Report:add(where, problem)
    local dtype = problem and problem:match("there is no cuda:?0? kernel for ([%w_]+)")
    if dtype then
        self.missing = self.missing or {}
        self.missing[dtype] = true
        return
    end
    self.done = self.done + 1
    count(self.op.name, problem == nil)
    if problem then
        self.problems[#self.problems + 1] = where .. ": " .. problem
    end
end

--- Runs f, which returns nil or a problem; an error that it raises is a problem too.
function Report:try(where, f, ...)
    if on_device then
        pcall(tocha.cuda.synchronize) -- what calls before that were meant to fail have found wrong
    end
    local ok, problem = pcall(f, ...)
    self:add(where, problem ~= nil and tostring(problem) or not ok and "failed without a message" or nil)
end

--- Fails the test if anything was wrong, or if nothing was compared at all. True where a kernel was missing.
function Report:finish()
    local n = #self.problems
    if n > 0 then
        local more = n > SHOWN and ("\n  and %d more"):format(n - SHOWN) or ""
        local shown = table.concat(self.problems, "\n  ", 1, math.min(n, SHOWN))
        error(("%d of %d wrong\n  %s%s"):format(n, self.done, shown, more), 0)
    elseif self.missing then
        note_missing(self.op.name, self.missing)
        return true
    elseif self.done == 0 then
        error("nothing was compared", 0)
    end
end

--- Prints which operators lack a kernel on the device that is tested, and for which dtypes.
function report.print_missing()
    local texts = {}
    for _, name in ipairs(missing) do
        local dtypes = {}
        for dtype in pairs(missing[name]) do
            dtypes[#dtypes + 1] = dtype
        end
        table.sort(dtypes)
        texts[#texts + 1] = ("%s (%s)"):format(name, table.concat(dtypes, " "))
    end
    print(("# %d operators lack a kernel: %s"):format(#texts, table.concat(texts, ", ")))
end

--- Prints the counts per operator, if they are asked for.
function report.print_counts()
    if os.getenv("TOCHA_HARNESS_COUNTS") ~= "1" then
        return
    end
    local passed, failed = 0, 0
    for _, name in ipairs(order) do
        local c = counts[name]
        passed, failed = passed + c.passed, failed + c.failed
        print(("# %-26s %6d passed %4d failed"):format(name, c.passed, c.failed))
    end
    print(("# %-26s %6d passed %4d failed"):format("all operators", passed, failed))
end

return report
