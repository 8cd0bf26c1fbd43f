--- Walks the operator table and maps every operator over samples.

local batching = require "tests.harness.batching"
local cases = require "tests.harness.cases"
local report = require "tests.harness.report"

describe("operator", function()
    teardown(report.print_counts)

    for _, op in ipairs((cases.ops())) do
        if batching.apply(op) and batching.takes_tensors(op) then
            it(op.name .. ": mapped over samples", function()
                local found = report.new(op)
                batching.check(op, found)
                found:finish()
            end)
        end
    end
end)
