--- Walks the operator table and fails every allocation of a call, and of its backward, in turn.

local cases = require "tests.harness.cases"
local memory = require "tests.harness.memory"
local report = require "tests.harness.report"

describe("operator", function()
    teardown(report.print_counts)

    for _, op in ipairs((cases.ops())) do
        if op.entry then
            it(op.name .. ": failing allocations", function()
                local found = report.new(op)
                memory.check(op, found)
                found:finish()
            end)
        end
    end
end)
