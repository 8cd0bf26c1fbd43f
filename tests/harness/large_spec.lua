--- Walks the elementwise ops and reductions on large tensors.

local cases = require "tests.harness.cases"
local large = require "tests.harness.large"
local report = require "tests.harness.report"

describe("operator", function()
    teardown(report.print_counts)

    for _, op in ipairs((cases.ops())) do
        if large.applies(op) then
            it(op.name .. ": large tensors, threads and strides", function()
                local found = report.new(op)
                large.check(op, found)
                found:finish()
            end)
        end
    end
end)
