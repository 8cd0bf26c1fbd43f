--- Every operator has samples that cover what the harness is to check, and references made from them.

local cases = require "tests.harness.cases"
local export = require "tests.harness.export"
local references = require "tests.harness.references"

local function some_sample(op, test)
    for _, sample in ipairs(op.samples) do
        if test(sample) then
            return true
        end
    end
    return false
end

describe("operator table", function()
    local ops, strangers = cases.ops()

    it("is not empty", function()
        assert.is_true(#ops > (os.getenv("TOCHA_FAMILIES") and 0 or 100))
    end)

    it("has a row for every entry of the samples", function()
        assert.are.same({}, strangers)
    end)

    for _, op in ipairs(ops) do
        it(op.name .. ": has samples for its dtypes, for empty and for 0-dim tensors", function()
            assert(op.entry, "no samples in tests/harness/samples")
            local run = {}
            for _, sample in ipairs(op.samples) do
                for _, dtype in ipairs(sample.error and {} or sample.dtypes_run) do
                    run[dtype] = true
                end
            end
            for _, dtype in ipairs(op.dtypes) do
                assert(run[dtype], "no sample runs in " .. dtype)
            end
            assert(some_sample(op, cases.is_empty), "no sample with an empty tensor")
            assert(some_sample(op, cases.is_scalar), "no sample with a 0-dim tensor")
        end)

        it(op.name .. ": has a CPU kernel", function()
            assert.is_true(op.row.has_cpu_kernel)
        end)

        it(op.name .. ": has references made from its samples", function()
            for _, sample in ipairs(op.samples) do
                if export.has_reference(sample) then
                    assert(references.is_fresh(sample), sample.key ..
                        ": its reference is missing or stale; run tests/reference/regenerate")
                end
            end
        end)
    end
end)
