--- Collects what a check finds, fails its test with the first findings, and counts for TOCHA_HARNESS_COUNTS=1.

local report = {}

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

local Report = {}
Report.__index = Report

--- A report for one test of an operator.
function report.new(op)
    return setmetatable({op = op, problems = {}, done = 0}, Report)
end

--- Counts one comparison: problem is nil, or a text that says what is wrong.
function Report:add(where, problem)
    self.done = self.done + 1
    count(self.op.name, problem == nil)
    if problem then
        self.problems[#self.problems + 1] = where .. ": " .. problem
    end
end

--- Runs f, which returns nil or a problem; an error that it raises is a problem too.
function Report:try(where, f, ...)
    local ok, problem = pcall(f, ...)
    self:add(where, problem ~= nil and tostring(problem) or not ok and "failed without a message" or nil)
end

--- Fails the test if anything was wrong, or if nothing was compared at all.
function Report:finish()
    local n = #self.problems
    if n > 0 then
        local more = n > SHOWN and ("\n  and %d more"):format(n - SHOWN) or ""
        local shown = table.concat(self.problems, "\n  ", 1, math.min(n, SHOWN))
        error(("%d of %d wrong\n  %s%s"):format(n, self.done, shown, more), 0)
    elseif self.done == 0 then
        error("nothing was compared", 0)
    end
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
