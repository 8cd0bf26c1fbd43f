--- Walks the operator table and checks gradients, and gradients of gradients.

local cases = require "tests.harness.cases"
local gradients = require "tests.harness.gradients"
local report = require "tests.harness.report"

local quick = os.getenv("TOCHA_QUICK") == "1"

local function test(name, op, check)
    it(("%s: %s"):format(op.name, name), function()
        local found = report.new(op)
        check(op, found)
        found:finish()
    end)
end

describe("operator", function()
    teardown(report.print_counts)

    for _, op in ipairs((cases.ops())) do
        if gradients.apply(op) then
            if not op.entry.no_stored_gradient then
                test("gradient against the reference", op, gradients.reference)
            end
            test("gradient", op, gradients.first)
            if not quick then
                test("gradient of the gradient", op, gradients.second)
            end
            if op.row.inplace and not op.entry.no_gradient_of_first then
                test("gradient in place", op, gradients.inplace)
            end
        elseif gradients.are_none(op) then
            test("needs no gradient", op, gradients.none)
        end
    end
end)
