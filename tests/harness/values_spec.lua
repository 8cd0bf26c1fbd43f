--- Walks the operator table and checks every operator's values against its samples' references.

local cases = require "tests.harness.cases"
local checks = require "tests.harness.checks"
local report = require "tests.harness.report"

local function test(name, op, check)
    it(("%s: %s"):format(op.name, name), function()
        local found = report.new(op)
        check(op, found)
        if found:finish() then
            pending("the device has no kernel")
        end
    end)
end

local function has_errors(op)
    for _, sample in ipairs(op.samples) do
        if sample.error then
            return true
        end
    end
    return false
end

describe("operator", function()
    teardown(report.print_counts)
    if cases.device ~= "cpu" then
        teardown(report.print_missing)
    end

    for _, op in ipairs((cases.ops())) do
        if op.entry then
            test("values", op, checks.values)
            test("call by name and as a method", op, checks.styles)
            if checks.takes_strides(op) then
                test("strided", op, checks.strided)
            end
            if checks.takes_strides(op) and os.getenv("TOCHA_QUICK") ~= "1" then
                test("expanded", op, checks.expanded)
            end
            if has_errors(op) then
                test("errors", op, checks.errors)
            end
            if checks.refuses(op) then
                test("refuses other dtypes", op, checks.refused)
            end
            if op.row.inplace then
                test("in place", op, checks.inplace)
            end
            if op.row.class == "view" then
                test("shares memory", op, checks.view)
            end
        end
    end
end)
